"""Files as other programs write them, each with the rows that are in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from arro3.core import Array, DataType

from functions.core.dataset.read_here import open_rows
from functions.core.dataset.validation import ValidatedDataset, validate_dataset
from models.contract import Contract
from tests.functions.core.dataset.tables import parquet_file

FILES = Path(__file__).parent / "files"
PLAN = {"name": "plan", "kind": "category", "categories": ["1", "2"]}


def read(
    data: bytes,
    features: list[dict[str, Any]],
    classes: tuple[str, str] = ("no", "yes"),
    target: str = "left",
    **search: str,
) -> ValidatedDataset:
    contract = Contract.parse(
        {
            "name": "churn",
            "task": "classification",
            "features": features,
            "target": {"name": target, "classes": list(classes)},
            "quality": {"minimum_rows": 10, "maximum_rejected_share": 0.3},
            "search": {"metric": "accuracy", "folds": 2, "seed": 1, "families": [{"family": ["x"]}], **search},
            "gate": {"metric": "accuracy", "minimum": 0.0},
        },
        "case",
    )
    return validate_dataset(data, contract, open_rows)


def counts(dataset: ValidatedDataset) -> tuple[int, int]:
    return dataset.report["accepted_rows"], dataset.report["rejected_rows"]


@pytest.mark.parametrize("name", ["year20250.parquet", "date20250.parquet"])
def test_a_date_that_python_cannot_hold_is_ignored_with_its_column(name: str) -> None:
    features = [
        {"name": "days", "kind": "integer", "missing": "keep"},
        {"name": "rate"},
        PLAN,
        {"name": "vip", "kind": "boolean"},
    ]
    dataset = read((FILES / name).read_bytes(), features, ("0", "1"), "paid")
    assert counts(dataset) == (200, 0)
    assert len(dataset.report["ignored_columns"]) == 1


def test_a_date_that_python_or_every_calendar_lacks_is_trouble_of_its_row_alone() -> None:
    microseconds = [9 * 10**18, 576_875_347_200 * 10**6, *(at // 2 * 10**6 for at in range(88))]
    table = {
        "rate": Array(list(range(90)), type=DataType.float64()),
        "plan": Array(["1", "2"] * 45, type=DataType.string()),
        "left": Array(["no", "yes", "yes"] * 30, type=DataType.string()),
        "at": Array(microseconds, type=DataType.int64()).cast(DataType.timestamp("us")),
    }
    rate, data = {"name": "rate", "minimum": 2}, parquet_file(table)
    beside = read(data, [rate, PLAN])
    assert counts(beside) == (88, 2)
    assert b",?\n" in beside.rejected
    assert b"20250-06-15" in beside.rejected
    date = {"name": "at", "kind": "datetime", "parts": ["hour"]}
    assert counts(read(data, [{"name": "rate"}, date], time="at")) == (88, 2)
    grouped = read(data, [PLAN], group="at").report
    assert ([one["count"] for one in grouped["reasons"]], grouped["split"]["groups"]) == ([1], 45)


def test_numbers_of_32_and_of_64_bits_are_one_dataset_also_at_a_bound() -> None:
    features = [
        {"name": "rate", "minimum": 0.7, "maximum": 0.9},
        {"name": "k", "kind": "integer", "minimum": 0, "maximum": 10},
        {"name": "plan", "kind": "category", "categories": ["basic", "pro"]},
        {"name": "flag", "kind": "boolean"},
    ]
    wide, narrow = (read((FILES / name).read_bytes(), features) for name in ("f8.parquet", "f4.parquet"))
    assert counts(wide) == counts(narrow) == (80, 0)
    assert wide.digest == narrow.digest


def test_whole_numbers_beside_a_gap_are_categories_in_text_and_in_parquet() -> None:
    features = [
        {"name": "rate", "minimum": 0.1, "maximum": 0.7},
        {"name": "k", "kind": "integer", "missing": "keep"},
        PLAN,
    ]
    parquet, text = (read((FILES / name).read_bytes(), features) for name in ("plan.parquet", "plan.csv"))
    assert counts(parquet) == counts(text) == (59, 1)
    assert parquet.digest == text.digest


def test_a_long_text_in_a_column_that_is_ignored_is_no_fault() -> None:
    lines = [f"{at / 10},{'no' if at % 3 else 'yes'},{'x' * 140_000 if at == 7 else 'short'}\n" for at in range(60)]
    assert counts(read(("rate,left,note\n" + "".join(lines)).encode(), [{"name": "rate"}])) == (60, 0)


def test_text_behind_a_quotation_mark_costs_one_row() -> None:
    lines = [f"{at / 10},{1 + at % 2},{'no' if at % 3 else 'yes'}" for at in range(60)]
    lines[40] = '4.0,"1"x,no'
    dataset = read(("rate,plan,left\n" + "\n".join(lines) + "\n").encode(), [{"name": "rate"}, PLAN])
    assert counts(dataset) == (59, 1)
    assert dataset.rejected.decode().splitlines()[1].startswith("42,")


def test_a_row_of_totals_is_set_aside_as_one() -> None:
    lines = [f"p{at},{at / 10},{'no' if at % 3 else 'yes'}" for at in range(60)]
    dataset = read(("who,rate,left\n" + "\n".join([*lines, "Total,177.0,"]) + "\n").encode(), [{"name": "rate"}])
    assert counts(dataset) == (60, 1)
    assert dataset.report["reasons"][0]["reason"] == "is a row of totals"


def test_whole_numbers_that_32_bits_cannot_hold_are_told_before_anything_is_trained() -> None:
    lines = [f"{2**24 + at},{'no' if at % 3 else 'yes'}" for at in range(60)]
    dataset = read(("account,left\n" + "\n".join(lines) + "\n").encode(), [{"name": "account", "kind": "integer"}])
    assert dataset.report["rounded"] == [
        {"column": "account", "count": 30, "first_line": 3, "first": 2**24 + 1, "becomes": 2**24}
    ]
