from __future__ import annotations

import csv as csv_reader
import io
from typing import Any

import numpy as np
import pytest
from arro3 import core as arrow
from arro3.io import write_parquet

from functions.core.dataset import read_here, validation
from functions.core.dataset.dataset import Dataset
from functions.core.dataset.rejected_dataset import RejectedDataset
from functions.core.dataset.validation import ValidatedDataset, validate_dataset
from tests.functions.bench import CONTRACT, contract, csv, rows


def rejected(data: bytes, **changes: Any) -> dict[str, Any]:
    with pytest.raises(RejectedDataset) as rejection:
        validate_dataset(data, contract(**changes), read_here.open_rows)
    report = rejection.value.report
    assert (report["accepted"], report["cause"]) == (False, str(rejection.value))
    return report


def read(data: bytes, **changes: Any) -> ValidatedDataset:
    return validate_dataset(data, contract(**changes), read_here.open_rows)


def parquet() -> bytes:
    size, weight, colour, ripe = (list(column) for column in zip(*rows(), strict=True))
    table = arrow.Table.from_pydict(
        {
            "ripe": arrow.Array(ripe, type=arrow.DataType.string()),
            "weight": arrow.Array(weight, type=arrow.DataType.int64()),
            "size": arrow.Array(size, type=arrow.DataType.float64()),
            "colour": arrow.Array(colour, type=arrow.DataType.string()),
        }
    )
    file = io.BytesIO()
    write_parquet(table, file)
    return file.getvalue()


def with_cells(changes: dict[tuple[int, int], object]) -> list[list[Any]]:
    cells = rows()
    for (row, column), value in changes.items():
        cells[row][column] = value
    return cells


def test_a_good_file_becomes_numbers_in_the_declared_order() -> None:
    validated = read(csv())
    assert (validated.dataset.x.shape, validated.dataset.x.dtype) == ((90, 3), np.float32)
    assert validated.dataset.x[0].tolist() == [47.0, -6.0, 1.0]
    assert validated.dataset.y[:2].tolist() == [1, 0]
    assert validated.dataset.y.dtype == np.int64
    assert validated.report == {
        "accepted": True,
        "cause": None,
        "format": "CSV",
        "ignored_columns": [],
        "rounded": [],
        "rows": 90,
        "accepted_rows": 90,
        "rejected_rows": 0,
        "reasons": [],
        "split": {
            "by": "random",
            "rows": {"holdout": 18, "folds": [24, 24, 24]},
            "equal_rows": 0,
            "equal_rows_apart": 0,
            "said": "at random: 18 of 90 rows kept out; 3 folds of 24 rows",
        },
        "suspects": [],
    }


@pytest.mark.integration
def test_the_same_rows_have_the_same_digest_however_they_are_written() -> None:
    turned = [[ripe, colour, size, weight] for size, weight, colour, ripe in rows()]
    files = [
        csv(),
        csv(end="\r\n"),
        csv(delimiter=";"),
        b"\xef\xbb\xbf" + csv(),
        csv(turned, ("ripe", "colour", "size", "weight")),
        csv([[f"{size}0", f" {weight} ", colour, ripe] for size, weight, colour, ripe in rows()]),
        parquet(),
    ]
    assert len({read(file).digest for file in files}) == 1
    assert len({read(file).dataset.to_bytes() for file in files}) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"search": {"seed": 2}},
        {"search": {"folds": 4}},
        {"search": {"holdout": 0.3}},
        {"target": {"classes": ["yes", "no"]}},
        {"features": [{"name": "size", "minimum": 1}, *CONTRACT["features"][1:]]},
    ],
)
def test_what_is_prepared_otherwise_has_another_digest(changes: dict[str, Any]) -> None:
    assert read(csv(), **changes).digest != read(csv()).digest


def test_another_value_label_or_row_is_another_dataset() -> None:
    others = [with_cells({(0, 0): 48}), with_cells({(0, 3): "no"}), rows()[:-1]]
    assert read(csv()).digest not in {read(csv(other)).digest for other in others}


def test_the_arrays_come_back_from_their_file_as_they_were() -> None:
    dataset = read(csv()).dataset
    again = Dataset.from_bytes(dataset.to_bytes())
    for name in ("x", "y", "fold", "holdout"):
        np.testing.assert_array_equal(getattr(again, name), getattr(dataset, name))
    with np.load(io.BytesIO(dataset.to_bytes()), allow_pickle=False) as arrays:
        assert sorted(arrays) == ["X", "fold", "holdout", "y"]


def test_the_holdout_is_chosen_and_no_fold_touches_it() -> None:
    dataset = read(csv()).dataset
    assert 0.15 < dataset.holdout.mean() < 0.25
    assert (dataset.fold[dataset.holdout] == -1).all()
    assert sorted(set(dataset.fold[~dataset.holdout].tolist())) == [0, 1, 2]


def test_a_few_bad_rows_are_set_aside_with_line_and_reason() -> None:
    validated = read(csv(with_cells({(0, 0): "large", (3, 2): "blue", (3, 0): 101, (5, 3): ""})))
    assert (validated.report["accepted_rows"], validated.report["rejected_rows"]) == (87, 3)
    assert {(entry["column"], entry["reason"], *entry["first_lines"]) for entry in validated.report["reasons"]} == {
        ("size", "is text; accepted: a finite number from 0 to 100", 2),
        ("size", "is not a finite number from 0 to 100", 5),
        ("colour", "is not one of green, red", 5),
        ("ripe", "is missing; accepted: one of no, yes", 7),
    }
    kept = list(csv_reader.reader(io.StringIO(validated.rejected.decode())))
    assert kept[0] == ["line", "reason", "size", "weight", "colour", "ripe"]
    assert kept[1] == ["2", "size is text; accepted: a finite number from 0 to 100", "large", "-6", "red", "yes"]
    assert [row[0] for row in kept[1:]] == ["2", "5", "7"]


def test_bad_rows_change_nothing_about_the_good_ones() -> None:
    bad = [["large", 1, "red", "yes"], ["1"]]
    assert read(csv(rows() + bad)).digest == read(csv()).digest


def test_past_the_models_own_threshold_the_dataset_is_rejected() -> None:
    bad = with_cells({(row, 0): "large" for row in range(10)})
    report = rejected(csv(bad))
    assert report["cause"] == (
        "10 of 90 rows are not acceptable (11.1%; at most 10.0% may be set aside);"
        " most often: size is text; accepted: a finite number from 0 to 100 (10 rows, first at line 2)"
    )
    assert report["reasons"][0]["first_lines"] == list(range(2, 12))
    assert read(csv(bad), quality={"maximum_rejected_share": 0.12}).report["rejected_rows"] == 10


def test_a_column_of_the_wrong_type_is_named_with_its_rows() -> None:
    report = rejected(csv([["large", weight, colour, ripe] for _, weight, colour, ripe in rows()]))
    [reason] = report["reasons"]
    assert (reason["column"], reason["count"], reason["first_lines"]) == ("size", 90, list(range(2, 22)))


def test_a_report_never_repeats_a_cell() -> None:
    report = rejected(csv([["secret-4711", weight, colour, "secret-4711"] for _, weight, colour, _ in rows()]))
    assert "4711" not in repr(report)


@pytest.mark.parametrize(
    ("header", "cause"),
    [
        (("size", "weight", "color", "ripe"), "color is not expected; did you mean colour?; colour is missing"),
        (("size_fruit", "weight", "colour", "ripe"), "size_fruit is not expected; size is missing"),
        (("size", "weight", "colour", "target"), "target is not expected; ripe is missing"),
        (("", "weight", "colour", "ripe"), "(a column without a name) is not expected; size is missing"),
    ],
)
def test_a_wrong_column_is_named_with_the_near_one(header: tuple[str, ...], cause: str) -> None:
    report = rejected(csv(header=header))
    assert report["cause"] == cause
    assert report["missing_columns"] == [name for name in ("size", "weight", "colour", "ripe") if name not in header]


def test_words_in_another_order_are_near() -> None:
    features = [{"name": "mean_radius"}, {"name": "mean_texture"}]
    report = rejected(b"radius_mean,mean_texture,ripe\n1,2,yes\n", features=features, gate={"slices": []})
    assert report["cause"] == "radius_mean is not expected; did you mean mean_radius?; mean_radius is missing"


def test_a_column_that_the_model_does_not_use_is_ignored_and_told() -> None:
    wider = csv([[*row, 7] for row in rows()], ("size", "weight", "colour", "ripe", "note"))
    validated = read(wider)
    assert (validated.dataset.to_bytes(), validated.report["ignored_columns"]) == (
        read(csv()).dataset.to_bytes(),
        ["note"],
    )


@pytest.mark.parametrize("named", [{"ignore": ["note"]}, {"id": ["note"]}])
def test_a_column_that_is_not_named_is_rejected_where_the_contract_says_so(named: dict[str, Any]) -> None:
    wider = csv([[*row, 7] for row in rows()], ("size", "weight", "colour", "ripe", "note"))
    strict: dict[str, Any] = {"quality": {**CONTRACT["quality"], "extra_columns": "reject"}}
    assert rejected(wider, **strict)["cause"] == "note is not expected"
    assert read(wider, **strict, **named).report["ignored_columns"] == []


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "the file is empty"),
        (b"size,weight,colour,ripe\n", "a header and no rows"),
        (
            b'{"heft": 1}',
            "names none of the expected columns, which are size, weight, colour, ripe; it begins with 'heft'",
        ),
        (b"My report,,,\n" + csv(), "it begins with 'My report'"),
        (b"sep=;\n" + csv(delimiter=";"), "it begins with 'sep=;'"),
        (b'{"size": 1, "size": 2}\n' * 30, "line 1: "),
        (b'{"size": NaN}\n' * 30, "line 1: NaN and Infinity are not JSON"),
        (b'{\n"size": 1\n}\n', "line 1: is not JSON"),
        (b'{"size": 1}', "weight is missing; colour is missing; ripe is missing"),
        (
            csv().replace(b"red", b"r\xf6t"),
            "most often: the row is not UTF-8; save the file as UTF-8, and not as ANSI or Windows-1252 (30 rows",
        ),
        (csv(rows(10)), "10 acceptable rows; at least 20 are needed"),
        (csv([row for row in rows() if row[3] == "no"]), "too few different rows of yes (0)"),
        (csv(rows(40)[::2] * 4 + rows(40)[1:2] * 40), "too few different rows of no (40)"),
    ],
)
def test_what_nothing_can_be_learned_from_is_rejected(data: bytes, cause: str) -> None:
    assert cause in rejected(data)["cause"]


def test_a_file_with_too_many_rows_is_rejected_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "MAXIMUM_VALUES", 4 * 89)
    assert rejected(csv())["cause"] == "the file has more than 89 rows, which are the most"


def test_a_file_is_read_no_further_than_it_takes_to_reject_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "MAXIMUM_VALUES", 400)
    blocks = iter([csv(rows(60)), *[b"1,2\n" * 11] * 20])
    with pytest.raises(RejectedDataset, match=r"11 of 71 rows are not acceptable \(15\.5%"):
        validate_dataset(blocks, contract(), read_here.open_rows)
    assert len(list(blocks)) > 10


def test_missing_values_are_kept_where_the_contract_says_so() -> None:
    features = [{"name": "size", "missing": "keep"}, {"name": "weight", "missing": 3}, CONTRACT["features"][2]]
    validated = read(csv(with_cells({(0, 0): "", (1, 1): "NA"})), features=features)
    assert np.isnan(validated.dataset.x[0, 0])
    assert validated.dataset.x[1, 1] == 3
    assert validated.profile["features"]["size"]["missing"] == 1


def test_garbage_is_rejected_and_never_crashes() -> None:
    generator = np.random.default_rng(7)
    good = np.frombuffer(csv(), dtype=np.uint8)
    outcomes = set()
    for _ in range(150):
        data, damage = good.copy(), generator.integers(1, 30)
        data[generator.integers(0, len(data), damage)] = generator.integers(32, 127, damage)
        try:
            read(data.tobytes())
        except RejectedDataset:
            outcomes.add("rejected")
        else:
            outcomes.add("accepted")
    assert outcomes == {"accepted", "rejected"}
