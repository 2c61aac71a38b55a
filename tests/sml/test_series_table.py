"""A table of series, whose rows without a number are forecast: with lags that training computes, too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.core.dataset import read_here
from functions.core.dataset.validation import validate_dataset
from functions.core.registry.pointer import Pointer, promote_first
from functions.core.training.forecasting import Forecasting
from localcloud.support.http_server import HttpServer, Request, Response, json_response
from models.contract import Contract
from tests.functions import sales
from tests.functions.bench import csv
from tests.functions.sales import HEADER, SALES, Row
from tests.sml.called import Said
from tests.sml.staged import MODEL, Staged

pytestmark = pytest.mark.integration
CONTRACT = Contract.parse(SALES, "model.yaml")


@pytest.fixture
def asked(staged: Staged) -> Iterator[list[Any]]:
    """The instances that the API is asked about, which answers each with its least lag."""
    seen: list[Any] = []

    def answered(request: Request) -> Response:
        instances = json.loads(request.body)["instances"]
        seen.extend(instances)
        return json_response(200, {"predictions": [{"value": one["sales_lag_7"]} for one in instances]})

    staged.registry.put_json(f"{MODEL}/live.json", promote_first(Pointer(), "v1", "aa01", 0.0).document())
    card = {"version": "v1", "task": "forecasting", **Forecasting(CONTRACT).card()}
    card["features"] = [one.document() for one in CONTRACT.features]
    staged.registry.put_json(f"{MODEL}/versions/v1/card.json", card)
    with HttpServer(answered, limit=1_000_000) as server:
        staged.outputs["models"][MODEL]["predict"] = f"{server.url}/predict"
        yield seen


def predict(staged: Staged, folder: Path, rows: list[Row], header: tuple[str, ...] = HEADER) -> Said:
    file = folder / "table.csv"
    file.write_bytes(csv(rows, header))
    return staged.sml("predict", MODEL, str(file), "--json")


def test_rows_to_come_are_forecast_with_the_lags_that_training_computes(
    staged: Staged, asked: list[Any], tmp_path: Path
) -> None:
    known, to_come = sales.rows(), sales.to_come(7)
    said = predict(staged, tmp_path, [*known, *to_come])
    assert (said.code, said.err, len(said.document)) == (0, "", 21)
    # The same rows with a number are rows of a dataset: a number of a row is none of its own lags.
    rows = [*known, *([*row[:3], 50] for row in to_come)]
    there = validate_dataset(csv(rows, HEADER), CONTRACT, read_here.open_rows).dataset.x[-21:]
    assert [list(one.values()) for one in asked] == there.tolist()
    assert said.document[0] == {"day": "2025-05-01", "store": "north", "value": asked[0]["sales_lag_7"]}


def test_a_row_farther_ahead_than_the_least_lag_is_told_and_the_others_are_answered(
    staged: Staged, asked: list[Any], tmp_path: Path
) -> None:
    said = predict(staged, tmp_path, [*sales.rows(), *sales.to_come(8)])
    assert (said.code, len(asked), len(said.document)) == (5, 21, 24)
    assert said.document[-1] == {
        "day": "2025-05-08",
        "store": "west",
        "error": "line 385: is 8 rows after the last known sales; a forecast is 7 ahead at most, by sales_lag_7",
    }


def test_a_number_that_lacks_in_the_past_is_told_where_a_lag_falls_on_it(
    staged: Staged, asked: list[Any], tmp_path: Path
) -> None:
    rows = sales.rows(stores=("north",))
    rows[-7][3] = ""
    said = predict(staged, tmp_path, [*rows, *sales.to_come(2, stores=("north",))])
    assert said.document[0]["error"] == (
        "line 122: sales_lag_7 is not known: its series begins later, or lacks a number there"
    )
    assert "error" in said.document[1], "its mean lacks one"


def test_a_table_with_the_lags_as_columns_is_asked_as_it_is(staged: Staged, asked: list[Any], tmp_path: Path) -> None:
    header = ("day", "promotion", "sales_lag_7", "sales_lag_14", "sales_mean_7")
    said = predict(staged, tmp_path, [["2025-05-01", True, 3, 4, 5.5]], header)
    assert said.document == [{"value": 3}]
    assert asked == [{"promotion": True, "sales_lag_7": 3, "sales_lag_14": 4, "sales_mean_7": 5.5}]


@pytest.mark.parametrize(
    ("rows", "header", "told"),
    [
        (sales.rows(), HEADER, "has no row to forecast, after the last known sales; add rows with an empty sales"),
        ([row[:3] for row in sales.rows()], HEADER[:3], "has no sales; accepted: a table of day, store and sales, or"),
        ([*sales.to_come(1), *sales.to_come(1)], HEADER, "store north has two rows at day 2025-05-01"),
        ([*sales.rows(), ["soon", "north", False, ""]], HEADER, "line 362: day is no time"),
    ],
)
def test_what_is_no_series_to_forecast_is_told(
    rows: list[Row], header: tuple[str, ...], told: str, staged: Staged, asked: list[Any], tmp_path: Path
) -> None:
    said = predict(staged, tmp_path, rows, header)
    assert said.code == 1
    assert told in said.err
    assert not asked
