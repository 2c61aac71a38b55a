from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from arro3.core import Array, DataType, Table
from arro3.io import write_parquet

from models.feature import Feature
from models.gate import bound_of
from sml.init.number_target import NumberTarget
from sml.init.target import Target
from sml.init.written import contract_of, contract_text, declaration
from tests.sml.init.tables import (
    becomes,
    churn,
    classes,
    csv_of,
    houses,
    json_lines,
    orders,
    penguins,
    proposal,
    staff,
    titanic,
)


def feature(name: str, data: bytes, folder: Path) -> Feature:
    return next(found for found in proposal(data, folder).features if found.name == name)


def test_penguins_are_told_apart_by_what_was_measured(tmp_path: Path) -> None:
    found = proposal(penguins(), tmp_path)
    assert becomes(found) == {
        "rowid": "id",
        "island": "category",
        "bill length (mm)": "number",
        "bill_depth_mm": "number",
        "body_mass_g": "integer",
        "sex": "category",
        "observed": "date",
    }
    assert classes(found) == ("Adelie", "Chinstrap", "Gentoo")
    assert found.plan.metric == "accuracy"
    assert isinstance(found.target, Target)
    assert found.target.majority < found.plan.bound < 0.6
    mass = next(one for one in found.features if one.name == "body_mass_g")
    assert (mass.minimum, mass.missing) == (0, "keep")


def test_names_tickets_and_cabins_are_of_no_use_and_a_passenger_has_an_id(tmp_path: Path) -> None:
    found = becomes(proposal(titanic(), tmp_path))
    assert found == {
        "PassengerId": "id",
        **{name: "ignore" for name in ("Name", "Ticket", "Cabin")},
        **{name: "category" for name in ("Sex", "Embarked")},
        **{name: "integer" for name in ("Pclass", "SibSp")},
        **{name: "number" for name in ("Age", "Fare")},
    }


def test_blanks_are_missing_values_and_a_customer_has_an_id(tmp_path: Path) -> None:
    found = proposal(churn(), tmp_path)
    assert becomes(found) == {
        "customerID": "id",
        "SeniorCitizen": "boolean",
        "tenure": "integer",
        "Contract": "category",
        "MonthlyCharges": "number",
    }
    assert classes(found) == ("No", "Yes")
    assert [one.missing for one in found.features] == ["reject", "reject", "reject", "keep"]
    assert found.sample.keys() == {"SeniorCitizen", "tenure", "Contract", "MonthlyCharges"}


def test_a_column_that_tells_the_target_alone_is_kept_with_a_warning(tmp_path: Path) -> None:
    found = proposal(churn(leak=True), tmp_path)
    assert next(warning for warning in found.warnings if "leak" in warning).startswith("refunded may be a leak")
    assert becomes(found)["refunded"] == "boolean"
    assert not any("leak" in warning for warning in proposal(churn(), tmp_path).warnings)


def visits(each: int, *whose: str) -> bytes:
    """Return a table with so many rows for each patient, under these names of columns."""
    rows = [
        [
            *[f"P{at // each:03}" for _ in whose],
            f"2026-{at % 12 + 1:02}-07",
            at % 17 + at % 2 * 9,
            ["no", "yes"][at % 2],
        ]
        for at in range(240)
    ]
    return csv_of([*whose, "seen_at", "pressure", "target"], rows)


def test_rows_of_one_patient_are_kept_together(tmp_path: Path) -> None:
    found = proposal(visits(6, "patient_id"), tmp_path)
    assert (found.split.group, found.plan.folds) == ("patient_id", 5)
    assert contract_of(found).search.group == "patient_id"


@pytest.mark.parametrize(
    ("each", "whose", "groups"),
    [
        (6, ["row_id"], ()),
        (1, ["patient_id"], ()),
        (60, ["patient_id"], ()),
        (6, ["user_id", "device_id"], ("user_id", "device_id")),
    ],
)
def test_what_may_be_a_group_or_the_order_of_rows_is_a_comment(
    each: int, whose: list[str], groups: tuple[str, ...], tmp_path: Path
) -> None:
    found = proposal(visits(each, *whose), tmp_path)
    assert (found.split.group, found.split.groups, found.split.times) == (None, groups, ("seen_at",))
    assert contract_of(found).search.keys == ()
    text = contract_text(found)
    assert "  # time: seen_at\n" in text
    assert ("  # group: user_id  # or device_id\n" in text) == bool(groups)


def test_a_german_table_is_read_as_it_is_written(tmp_path: Path) -> None:
    found = proposal(staff(), tmp_path)
    assert becomes(found) == {"Alter": "integer", "Gehalt": "number", "Ort": "category"}
    assert classes(found) == ("nein", "ja")
    assert "Status is missing in 1 of 161 rows (0.6 %), which are set aside" in found.warnings
    assert any("Ort might be meant" in warning for warning in found.warnings)


def test_a_delimiter_is_found_though_the_header_holds_another(tmp_path: Path) -> None:
    rows = "".join(f"{at}.5;{at % 3};{'uv'[at % 2]}\n" for at in range(40))
    found = proposal(f"price, in EUR;rooms, all;kind\n{rows}".encode(), tmp_path)
    assert becomes(found) == {"price, in EUR": "number", "rooms, all": "integer"}


def test_json_lines_and_gzip_are_read(tmp_path: Path) -> None:
    rows = [
        {"x": at / 7, "flag": at % 3 == 0, "word": "ab"[at % 2], "answer": ["yes", "no"][at % 2], "label": "uv"[at % 2]}
        for at in range(60)
    ]
    expected = {"x": "number", "flag": "boolean", "word": "category", "answer": "category"}
    assert becomes(proposal(json_lines(rows), tmp_path)) == expected
    assert becomes(proposal(gzip.compress(penguins()), tmp_path))["island"] == "category"


def parquet(**columns: Array) -> bytes:
    file = Path("table.parquet")
    table = Table.from_arrays(list(columns.values()), names=list(columns))
    write_parquet(table, file)
    return file.read_bytes()


def test_truths_of_parquet_are_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = parquet(
        x=Array([at / 7 for at in range(60)], DataType.float64()),
        on=Array([at % 3 == 0 for at in range(60)], DataType.bool()),
        target=Array([at % 2 == 0 for at in range(60)], DataType.bool()),
    )
    found = proposal(data, tmp_path)
    assert becomes(found) == {"x": "number", "on": "boolean"}
    assert classes(found) == ("false", "true")
    floats = parquet(
        x=Array([at / 7 for at in range(60)], DataType.float64()),
        target=Array([float(at % 2) for at in range(60)], DataType.float64()),
    )
    assert classes(proposal(floats, tmp_path)) == ("0", "1")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["7", "7", "7"], "ignore"),
        (["", "", ""], "ignore"),
        (["yes", "", ""], "category"),
        (["007", "012", "113"], "category"),
        (["2020-01-01", "2020-01-02", "2020-02-02"], "date"),
        (["13.01.2020 08:00", "01.02.2020 09:30", "02.02.2020 09:30"], "datetime"),
        (["01/02/2020", "03/04/2020", "05/06/2020"], "ignore"),
        (["1", "2", "?"], "category"),
        (["1.5", "2.5", "?"], "category"),
        (["TRUE", "FALSE", "TRUE"], "boolean"),
    ],
)
def test_a_column_becomes_what_its_cells_say(cells: list[str], expected: str, tmp_path: Path) -> None:
    rows = [(cells[at % 3], at / 7, "uv"[at % 2]) for at in range(60)]
    assert becomes(proposal(csv_of(("some", "x", "target"), rows), tmp_path))["some"] == expected


def test_dates_texts_and_open_categories_are_proposed_with_their_reasons(tmp_path: Path) -> None:
    proposed = proposal(orders(), tmp_path)
    found = {one.name: one for one in proposed.columns}
    assert proposed.split.times == ("ordered", "sent")
    declared = {name: declaration(one.feature) for name, one in found.items() if one.feature is not None}
    assert declared == {
        "ordered": '{name: ordered, kind: date, format: "%d.%m.%Y", parts: [year, month, weekday]}',
        "sent": "{name: sent, kind: datetime, parts: [month, weekday, hour]}",
        "remark": "{name: remark, kind: text, words: 64}",
        "carrier": "{name: carrier, kind: category, categories: [rail, road, sea], unseen: other}",
        "town": "{name: town, kind: category, unseen: other, learn: true, rare_below: 5}",
    }
    assert found["carrier"].why == (
        "9 different texts, 6 of them in fewer than 5 rows: those are other, as is one that comes later"
    )
    assert "all of which can be read as %d.%m.%Y" in found["ordered"].why


def test_a_number_with_many_mistakes_is_ignored_and_its_owner_is_told(tmp_path: Path) -> None:
    rows = [("?" if at % 9 == 0 else at / 7, at / 3, "uv"[at % 2]) for at in range(90)]
    found = proposal(csv_of(("some", "x", "target"), rows), tmp_path)
    assert becomes(found)["some"] == "ignore"
    assert any("some is ignored: 10 of 90 rows (11.1 %) cannot be read" in warning for warning in found.warnings)


def test_a_few_mistakes_are_set_aside_and_the_contract_allows_them(tmp_path: Path) -> None:
    rows = [("?" if at in (7, 77) else at / 7, at / 3, "ten" if at == 7 else at, "uv"[at % 2]) for at in range(150)]
    found = proposal(csv_of(("some", "x", "whole", "target"), rows), tmp_path)
    assert (becomes(found)["some"], becomes(found)["whole"]) == ("number", "integer")
    assert contract_of(found).quality.maximum_rejected_share == 0.03
    assert any("some 2 of" in warning and "line 9" in warning for warning in found.warnings)


def test_classes_of_few_rows_are_left_out_and_the_folds_fit_the_others(tmp_path: Path) -> None:
    kinds = ["u"] * 150 + ["v"] * 12 + ["w"] * 2
    found = proposal(csv_of(("x", "target"), [(at * 1.3, kind) for at, kind in enumerate(kinds)]), tmp_path)
    assert classes(found) == ("u", "v")
    assert isinstance(found.target, Target)
    assert found.target.rare == ("w",)
    assert found.plan.folds == 2
    assert any(warning.startswith("w: fewer than 6 rows") for warning in found.warnings)
    assert any(warning.startswith("v is rare") for warning in found.warnings)


def test_an_unbalanced_table_of_three_classes_is_judged_by_all_of_them(tmp_path: Path) -> None:
    kinds = ["u"] * 200 + ["v"] * 20 + ["w"] * 20
    found = proposal(csv_of(("x", "target"), [(at * 1.3, kind) for at, kind in enumerate(kinds)]), tmp_path)
    assert found.plan.metric == "f1"
    assert 0.3 < found.plan.bound < 0.4


def test_a_column_of_many_numbers_is_predicted_as_a_number(tmp_path: Path) -> None:
    found = proposal(houses(), tmp_path)
    assert isinstance(found.target, NumberTarget)
    assert (found.target.name, found.target.why) == ("price", "its name is that of a number to predict")
    assert found.target.spread.startswith("numbers from ")
    assert becomes(found) == {"house_id": "id", "living_area": "integer", "district": "category", "rooms": "integer"}
    contract = contract_of(found)
    assert (contract.task, contract.target.minimum, contract.search.metric) == ("regression", 0, "mae")
    assert 0 < bound_of(contract.gate) < found.target.usual_distance, "better than always the median"
    assert found.document()["target"]["numbers"]["median"] == found.target.median


@pytest.mark.parametrize(
    ("values", "median"),
    [
        ([at * 0.37 for at in range(60)], 10.915),
        ([at % 30 for at in range(60)], 14.5),
        ([f"{at},5" for at in range(60)], 30.0),
        ([f"{at},000.5" for at in range(1, 61)], 30_500.5),
    ],
    ids=["fractions", "many whole numbers", "decimal commas", "thousands"],
)
def test_numbers_to_predict_are_read_as_training_reads_them(
    values: list[float | str], median: float, tmp_path: Path
) -> None:
    rows = [(at * 1.3 % 7, "uvw"[at % 3], value) for at, value in enumerate(values)]
    found = proposal(csv_of(("x", "some", "target"), rows, delimiter=";"), tmp_path, target="target")
    assert isinstance(found.target, NumberTarget)
    assert found.target.median == pytest.approx(median)


def test_a_column_that_alone_tells_a_number_may_be_a_leak(tmp_path: Path) -> None:
    prices = [at * 7 % 60 + 0.25 for at in range(120)]
    rows = [(at * 3 % 11, price * 1.19, "uv"[at % 2], price) for at, price in enumerate(prices)]
    found = proposal(csv_of(("area", "with_tax", "some", "price"), rows), tmp_path, target="price")
    assert "with_tax may be a leak: alone it tells the target but for 0." in " ".join(found.warnings)
