from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from functions.core.dataset import read_here
from models.contract import Contract
from models.section import FOLDER
from sml.init import verdict
from sml.init.verdict import RejectedRow, Verdict
from sml.init.verdict_report import report
from sml.mistake import Mistake
from tests.functions.bench import Bench, contract, csv, rows
from tests.functions.prices import FIT_QUANTILE, TRAINING, WITH_INTERVAL
from tests.sml.init.tables import json_lines

HEADER = ("size", "weight", "colour", "ripe")


def check(data: bytes, folder: Path, **changes: Any) -> Verdict:
    file = folder / "data.csv"
    file.write_bytes(data)
    return verdict.check(contract(**changes), file, read_here.open_rows)


def test_a_table_that_would_be_trained_on_is_told_with_its_classes_and_columns(tmp_path: Path) -> None:
    header = (*HEADER, "tree", "note", "surplus")
    data = csv([[*row, at, "x", 1] for at, row in enumerate(rows())], header)
    found = check(data, tmp_path, id=["tree"], ignore=["note"])
    assert found.accepted
    assert found.classes == {"no": 45, "yes": 45}
    assert (found.id, found.ignored, found.passed_over) == (("tree",), ("note",), ("surplus",))
    assert (found.rows, found.accepted_rows, found.rejected_rows) == (90, 90, 0)


def test_what_columns_become_is_told_where_it_is_no_number_by_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    features = [
        {"name": "size"},
        {"name": "weight", "kind": "date", "parts": ["month"]},
        {"name": "colour", "kind": "category", "learn": True, "unseen": "other", "rare_below": 40},
    ]
    data = csv([[size, f"2026-{1 + at % 12:02}-01", colour, ripe] for at, (size, _, colour, ripe) in enumerate(rows())])
    report(check(data, tmp_path, features=features, gate={"slices": []}), tmp_path, as_json=False)
    told = capsys.readouterr().out
    assert "weight becomes 1 number: month" in told
    assert "colour becomes one of 1 categories, learnt from this table: green; 30 rows hold another value" in told


def test_the_split_and_what_may_be_a_leak_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = [[*row, row[3] == "yes", at // 6] for at, row in enumerate(rows())]
    features = [*contract().model_dump()["features"], {"name": "sold", "kind": "boolean"}]
    asked = {"features": features, "search": {"group": "tree"}}
    found = check(csv(content, (*HEADER, "sold", "tree")), tmp_path, **asked)
    assert found.passed_over == ()
    report(found, tmp_path / "data.csv", as_json=False)
    told = capsys.readouterr().out.splitlines()
    assert "split by tree: 18 of 90 rows kept out, 3 of 15 groups, the largest of 6 rows; 3 folds of 24 rows" in told
    assert "look at: sold is a copy of ripe" in told


def test_what_rows_weigh_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = [[*row, 1 + at % 2] for at, row in enumerate(rows())]
    weights = {"column": "exposure", "classes": "balanced"}
    found = check(csv(content, (*HEADER, "exposure")), tmp_path, weights=weights)
    assert found.passed_over == ()
    report(found, tmp_path / "data.csv", as_json=False)
    told = capsys.readouterr().out.splitlines()
    assert any(line.startswith("weights by exposure: 90 rows weigh 135, effective number 81") for line in told)
    report(found, tmp_path / "data.csv", as_json=True)
    assert json.loads(capsys.readouterr().out)["weights"]["classes"] == "balanced"


def test_a_fit_that_takes_no_weights_is_told_before_the_table_is_read(tmp_path: Path) -> None:
    bench = Bench(folder=tmp_path)
    bench.write_model(weights={"classes": "balanced"})
    with pytest.raises(
        Mistake, match=r"fruit/training\.py:18: fit takes no weights, .*; write fit\(X, y, params, weight\)"
    ):
        verdict.contract_of("fruit", tmp_path)
    bench.write_model()
    assert verdict.contract_of("fruit", tmp_path).weights is None


def test_a_training_that_defines_no_fit_is_told_before_the_table_is_read(tmp_path: Path) -> None:
    bench = Bench(folder=tmp_path)
    bench.write_model("def fti(X, y, params): ...\n")
    with pytest.raises(Mistake, match=r"fruit/training\.py defines no fit; accepted: a module that defines fit\(X, y"):
        verdict.contract_of("fruit", tmp_path)


def test_a_table_of_numbers_to_predict_is_told_with_their_range(tmp_path: Path) -> None:
    asked: dict[str, Any] = {**contract().model_dump(mode="json"), "task": "regression", "target": {"name": "weight"}}
    asked |= {"features": [{"name": "size"}], "gate": {"metric": "mae", "maximum": 9}}
    asked["search"] |= {"metric": "mae", "trials": None}
    file = tmp_path / "data.csv"
    file.write_bytes(csv())
    found = verdict.check(Contract.parse(asked, ""), file, read_here.open_rows)
    assert (found.accepted, found.numbers, found.classes) == (True, (-6.0, 6.0), {})


def test_rows_that_would_be_set_aside_are_told_with_line_column_and_value(tmp_path: Path) -> None:
    content = rows()
    content[3][0], content[5][2], content[7][1] = -4, "blue", ""
    found = check(csv(content), tmp_path)
    assert found.accepted
    assert found.rejected_rows == 3
    assert [(row.location, row.column, row.value) for row in found.rejected] == [
        (5, "size", "-4"),
        (7, "colour", "blue"),
        (9, "weight", ""),
    ]
    assert found.rejected[1] == RejectedRow(
        location=7, index=5, column="colour", reason="is not one of green, red", value="blue"
    )


def test_a_table_that_would_be_rejected_is_told_with_the_cause(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = [[-1, *row[1:]] if at % 2 else row for at, row in enumerate(rows())]
    content[0][2] = "blue"
    found = check(csv(content), tmp_path)
    assert not found.accepted
    assert found.classes == {"no": 0, "yes": 44}
    report(found, tmp_path / "data.csv", as_json=False)
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("fruit: 44 of 90 rows (48.9 %) of")
    assert "45 rows: size is not a finite number from 0 to 100" in told
    assert "1 row: colour is not one of green, red" in told
    assert told[-1].startswith("this table would be rejected: 46 of 90 rows are not acceptable")
    assert len(found.rejected) == verdict.SHOWN


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "the file is empty"),
        (b"a,b\n1,2\n", "the file names none of the expected columns"),
        (csv(rows(9)), "9 acceptable rows; at least 20 are needed"),
        (csv([row for row in rows() if row[3] == "no"]), "too few different rows of yes (0)"),
    ],
)
def test_the_cause_is_that_of_the_prepare_step(data: bytes, cause: str, tmp_path: Path) -> None:
    found = check(data, tmp_path)
    assert found.cause is not None
    assert cause in found.cause


def test_a_row_with_too_few_cells_has_no_value(tmp_path: Path) -> None:
    assert check(csv() + b"1,2\n", tmp_path).rejected[0] == RejectedRow(
        location=92, index=90, column="", reason="has 2 cells, the header 4", value=None
    )


def test_lines_of_json_are_told_with_their_values_in_whatever_order_they_stand(tmp_path: Path) -> None:
    lines = [dict(zip(HEADER, row, strict=True)) for row in rows()]
    other_order = {**dict(reversed(lines[0].items())), "size": -1}
    del other_order["weight"]
    found = check(json_lines([*lines, other_order]) + b"[1]\n", tmp_path)
    told = [(row.location, row.column, row.value) for row in found.rejected]
    assert told == [(91, "size", "-1"), (91, "weight", None), (92, "", None)]


def test_what_is_found_is_json_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(check(csv(), tmp_path), tmp_path, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["accepted"], told["classes"], told["rejected"]) == (True, {"no": 45, "yes": 45}, [])


def test_only_models_that_are_trained_take_tables() -> None:
    assert verdict.contract_of("breast_cancer", FOLDER).name == "breast_cancer"
    with pytest.raises(Mistake, match="is a finished model: it takes an ONNX file"):
        verdict.contract_of("file_type", FOLDER)
    with pytest.raises(Mistake, match=r"models/nowhere/model\.yaml does not exist; models here: breast_cancer"):
        verdict.contract_of("nowhere", FOLDER)


def test_a_training_that_fits_no_ends_of_an_interval_is_told_before_a_table_is_read(tmp_path: Path) -> None:
    bench = Bench(folder=tmp_path, base=WITH_INTERVAL)
    bench.write_model(TRAINING)
    with pytest.raises(Mistake, match=r"fruit/training\.py has no fit_quantile, which interval in model\.yaml needs"):
        verdict.contract_of("fruit", tmp_path)
    bench.write_model(TRAINING + FIT_QUANTILE)
    assert verdict.contract_of("fruit", tmp_path).interval is not None
