"""The weights of rows: read from every kind of file, refused where they are none, and kept with the dataset."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from arro3.core import DataType

from functions.core.dataset import read_apart, read_here, rounds
from functions.core.dataset.dataset import HOLDOUT, Dataset
from functions.core.dataset.effective_rows import effective, rows_in_words
from functions.core.dataset.rejected_dataset import RejectedDataset
from functions.core.dataset.validation import ValidatedDataset, validate_dataset
from models.contract import Contract
from tests.functions import prices
from tests.functions.bench import contract, csv, merged, rows
from tests.functions.core.dataset.tables import Value, csv_file, json_lines, parquet_of

HEADER = ("size", "weight", "colour", "ripe", "exposure")
TYPES = (DataType.float64(), DataType.int64(), DataType.string(), DataType.string())
COLUMN = {"column": "exposure"}
WEIGHTS: list[Value] = [round(0.1 + at % 7 / 3, 3) for at in range(90)]


def table(weights: Sequence[Value]) -> list[list[Value]]:
    return [[*row, weight] for row, weight in zip(rows(len(weights)), weights, strict=True)]


def read(values: Sequence[Value], **changes: Any) -> ValidatedDataset:
    changes = {"weights": COLUMN} | changes
    return validate_dataset(csv_file(HEADER, table(values)), contract(**changes), read_here.open_rows)


def cause(values: Sequence[Value]) -> str:
    with pytest.raises(RejectedDataset) as rejection:
        read(values)
    return str(rejection.value)


WRITERS: dict[str, Callable[[list[list[Value]]], bytes]] = {
    "CSV": lambda content: csv_file(HEADER, content),
    "CSV with decimal commas": lambda content: csv_file(
        HEADER,
        [[f"{row[0]}".replace(".", ","), *row[1:4], f"{row[4]}".replace(".", ",")] for row in content],
        delimiter=";",
    ),
    "JSON Lines": lambda content: json_lines(HEADER, content),
    "Parquet": lambda content: parquet_of(HEADER, content, (*TYPES, DataType.float64())),
    "Parquet in 32 bits": lambda content: parquet_of(HEADER, content, (*TYPES, DataType.float32())),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_weights_are_the_same_in_every_kind_of_file(writer: str) -> None:
    found = validate_dataset(WRITERS[writer](table(WEIGHTS)), contract(weights=COLUMN), read_here.open_rows)
    assert found.digest == read(WEIGHTS).digest
    assert found.dataset.weight is not None
    assert found.dataset.weight.dtype == np.float64
    assert found.dataset.weight.tolist() == pytest.approx(WEIGHTS)
    assert found.report["ignored_columns"] == []


@pytest.mark.integration
def test_weights_come_from_the_reading_process_with_the_keys_that_rows_are_split_by() -> None:
    days = [f"2026-01-{1 + at % 28:02}" for at in range(90)]
    data = csv_file((*HEADER, "day"), [[*row, day] for row, day in zip(table(WEIGHTS), days, strict=True)])
    asked = contract(weights=COLUMN, search={"time": "day"})
    apart, here = (validate_dataset(data, asked, reader) for reader in (read_apart.open_rows, read_here.open_rows))
    assert apart.digest == here.digest
    assert apart.dataset.to_bytes() == here.dataset.to_bytes()


def test_whole_numbers_of_a_column_that_json_has_as_such_are_weights_too() -> None:
    lines = json_lines(HEADER, table([1 + at % 3 for at in range(90)]))
    found = validate_dataset(lines, contract(weights=COLUMN), read_here.open_rows)
    assert found.dataset.weight is not None
    assert found.dataset.weight[:4].tolist() == [1, 2, 3, 1]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "is missing; accepted: a finite number, 0 or more"),
        ("nan", "is missing; accepted: a finite number, 0 or more"),
        (-0.5, "is not a finite number, 0 or more"),
        ("inf", "is not a finite number, 0 or more"),
        ("1e300", "is beyond what 32 bits can hold; accepted: a finite number, 0 or more"),
        ("much", "is text; accepted: a finite number, 0 or more"),
    ],
)
def test_a_row_without_a_weight_is_set_aside_with_its_line_and_column(value: Value, reason: str) -> None:
    found = read([*WEIGHTS[:5], value, *WEIGHTS[6:]])
    assert found.report["reasons"] == [{"column": "exposure", "reason": reason, "count": 1, "first_lines": [7]}]
    assert found.dataset.weight is not None
    assert len(found.dataset.weight) == 89


@pytest.mark.parametrize("value", ['"1.5"', "true", "[1]"])
def test_json_of_another_type_is_no_weight(value: str) -> None:
    lines = json_lines(HEADER, table(WEIGHTS)).replace(b'"exposure": 0.1}', f'"exposure": {value}}}'.encode(), 1)
    found = validate_dataset(lines, contract(weights=COLUMN), read_here.open_rows)
    [reason] = found.report["reasons"]
    assert (reason["column"], reason["first_lines"]) == ("exposure", [1])


def test_many_rows_without_a_weight_reject_the_file_in_a_sentence() -> None:
    assert cause([-1] * 90) == (
        "90 of 90 rows are not acceptable (100.0%; at most 10.0% may be set aside); most often: exposure is not a "
        "finite number, 0 or more (90 rows, first at line 2)"
    )


@pytest.mark.parametrize("write", [csv_file, json_lines])
def test_a_file_without_the_column_is_rejected_by_its_name(write: Callable[..., bytes]) -> None:
    with pytest.raises(RejectedDataset, match="exposure is missing"):
        validate_dataset(write(HEADER[:4], rows()), contract(weights=COLUMN), read_here.open_rows)


def test_a_column_of_weights_is_none_that_is_passed_over() -> None:
    assert read(WEIGHTS, quality={"extra_columns": "reject"}).report["accepted"]
    found = validate_dataset(csv_file(HEADER, table(WEIGHTS)), contract(), read_here.open_rows)
    assert found.report["ignored_columns"] == ["exposure"]
    assert "weights" not in found.report
    assert found.digest == validate_dataset(csv(), contract(), read_here.open_rows).digest


def test_weights_that_are_all_0_are_refused() -> None:
    assert cause([0] * 90) == "exposure is 0 in every row, so no row counts"


def test_each_part_needs_rows_of_each_class_that_weigh() -> None:
    fold = read(WEIGHTS).dataset.fold
    for part, told in ((HOLDOUT, "in the holdout"), (1, "in fold 2")):
        y = read(WEIGHTS).dataset.y
        some: list[Value] = [0.0 if at == part and label == 1 else 1.0 for at, label in zip(fold, y, strict=True)]
        rows_of_class = int(((fold == part) & (y == 1)).sum())
        assert cause(some) == (
            f"exposure is 0 in each of {rows_of_class} rows of yes {told}: 3 folds and the holdout each need one of "
            "every class that weighs more than 0"
        )


def test_of_numbers_to_predict_each_part_needs_a_row_that_weighs() -> None:
    asked = Contract.parse(merged(prices.PRICES, weights=COLUMN), "")
    data = [[*row, 1] for row in prices.rows()]
    found = validate_dataset(csv_file((*prices.HEADER, "exposure"), data), asked, read_here.open_rows)
    weightless = [[*row[:4], int(part != 0)] for row, part in zip(data, found.dataset.fold, strict=True)]
    with pytest.raises(
        RejectedDataset, match="exposure is 0 in each of 22 rows in fold 1: 3 folds and the holdout each"
    ):
        validate_dataset(csv_file((*prices.HEADER, "exposure"), weightless), asked, read_here.open_rows)


def test_of_a_split_by_time_the_rows_before_the_first_fold_need_weight_too() -> None:
    content = [[*row, at, int(at >= 18)] for at, row in enumerate(rows())]
    asked = contract(weights=COLUMN, search={"time": "day"})
    with pytest.raises(RejectedDataset, match="exposure is 0 in each of 9 rows of no that fold 1 is trained on"):
        validate_dataset(csv_file((*HEADER[:4], "day", "exposure"), content), asked, read_here.open_rows)


def test_weights_do_not_change_the_split_and_change_the_digest() -> None:
    one, other, plain = read(WEIGHTS), read(WEIGHTS[::-1]), read(WEIGHTS, weights=None)
    assert one.dataset.fold.tolist() == other.dataset.fold.tolist() == plain.dataset.fold.tolist()
    assert len({one.digest, other.digest, plain.digest}) == 3
    assert read(WEIGHTS, weights={"classes": "balanced"}).digest == plain.digest


def test_the_dataset_keeps_its_weights() -> None:
    dataset = read(WEIGHTS).dataset
    again = Dataset.from_bytes(dataset.to_bytes())
    assert again.weight is not None
    assert dataset.weight is not None
    assert again.weight.tolist() == dataset.weight.tolist()
    assert again.to_bytes() == dataset.to_bytes()
    some = np.array([3, 5])
    assert again.of(some).weight == pytest.approx(dataset.weight[some])
    assert again.weight_of(again.holdout) == pytest.approx(dataset.weight[dataset.holdout])


def test_a_dataset_without_weights_is_written_as_before() -> None:
    dataset = read(WEIGHTS, weights=None).dataset
    assert b"weight" not in dataset.to_bytes()
    assert dataset.weight is dataset.weight_of(dataset.holdout) is dataset.weights_of_folds is None
    assert dataset.counts.all()


def test_report_and_profile_say_what_rows_weigh_and_their_effective_number() -> None:
    weights: list[Value] = [0 if at in (3, 4) else 1 if at % 2 else 3 for at in range(90)]
    found = read(weights, weights={**COLUMN, "classes": {"no": 1, "yes": 4}})
    known = np.array(weights, dtype=float)
    held = known[found.dataset.holdout]
    told = found.report["weights"]
    assert told == found.profile["weights"]
    assert json.loads(json.dumps(told)) == {
        "column": "exposure",
        "total": known.sum(),
        "effective_rows": pytest.approx(known.sum() ** 2 / (known**2).sum()),
        "holdout": {"total": held.sum(), "effective_rows": pytest.approx(held.sum() ** 2 / (held**2).sum())},
        "rows_of_weight_0": 2,
        "classes": {"no": 1, "yes": 4},
        "said": told["said"],
    }
    assert told["said"] == (
        "by exposure: 90 rows weigh 176, effective number 70.4; of the 18 kept out 13.76; rows of weight 0: 2; "
        "in fit also by class, no 1, yes 4"
    )


def test_where_classes_alone_weigh_it_is_said_that_figures_do_not_know() -> None:
    found = read(WEIGHTS, weights={"classes": "balanced"})
    assert found.report["weights"] == {"classes": "balanced", "said": "by class in fit alone, balanced"}
    assert found.dataset.weight is None


def test_the_effective_number_is_that_of_rows_alike_and_knows_no_unit() -> None:
    assert effective(np.full(12, 7.0)) == pytest.approx(12)
    assert effective(np.array([1.0, 0.0, 0.0])) == 1
    assert effective(np.zeros(3)) == effective(np.zeros(0)) == 0
    for unit in (1e-40, 1e30):
        assert effective(unit * np.array([1.0, 2.0, 3.0])) == pytest.approx(36 / 14)
    assert rows_in_words(np.array([1.0, 2.0, 3.0])) == "3 rows (effective number 2.571)"


def test_a_round_of_few_rows_has_rows_that_weigh_of_each_class_in_each_fold() -> None:
    search = contract(search={"method": "halving", "families": [{"ridge": [1.0, 2.0, 3.0, 4.0]}]}).search
    y = np.arange(9000) % 2
    fold = (np.arange(9000) // 2 % 4 - 1).astype(np.int8)
    few = (np.arange(9000) % 1000 < 8).astype(np.float64)
    dataset = Dataset(x=np.arange(9000, dtype=np.float32)[:, None], y=y, fold=fold, weight=few)
    assert rounds.shares_of(search, dataset) == (1,), "54 rows outside the holdout weigh"
    for seed in range(10):
        some = rounds.sample(dataset, 1 / 9, folds=3, seed=seed)
        assert some.weight is not None
        counting = {(part, label) for part, label in zip(some.fold[some.counts], some.y[some.counts], strict=True)}
        assert counting == {(part, label) for part in range(3) for label in range(2)}


def test_a_round_has_the_same_rows_whatever_they_weigh() -> None:
    y, fold = np.arange(900) % 2, (np.arange(900) // 2 % 4 - 1).astype(np.int8)
    x = np.arange(900, dtype=np.float32)[:, None]
    plain, weighed = Dataset(x=x, y=y, fold=fold), Dataset(x=x, y=y, fold=fold, weight=1.0 + np.arange(900) % 5)
    one, other = (rounds.sample(some, 1 / 3, folds=3, seed=4) for some in (plain, weighed))
    assert one.x.tolist() == other.x.tolist()
    assert other.weight is not None
    assert other.weight.tolist() == [1 + value % 5 for value in other.x[:, 0].tolist()]
