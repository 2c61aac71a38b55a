from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from functions.core.dataset import read_apart, read_here
from functions.core.dataset.dataset import Dataset
from functions.core.dataset.rejected_dataset import RejectedDataset
from functions.core.dataset.validation import ValidatedDataset, validate_dataset
from models.contract import Contract
from tests.functions import sales
from tests.functions.bench import csv
from tests.functions.sales import HEADER, SALES, Row

LAGS = ("sales_lag_7", "sales_lag_14", "sales_mean_7")
ALONE: dict[str, Any] = {"time": "day", "lags": [7]}


def contract(**changes: Any) -> Contract:
    return Contract.parse({**SALES, **changes}, "model.yaml")


def validated(rows: list[Row], arrived: float | None = None, **changes: Any) -> ValidatedDataset:
    return validate_dataset(csv(rows, HEADER), contract(**changes), read_here.open_rows, arrived)


def rejected(rows: list[Row], **changes: Any) -> str:
    with pytest.raises(RejectedDataset) as rejection:
        validated(rows, **changes)
    return str(rejection.value)


def of_one_store(days: int = 120) -> list[Row]:
    return sales.rows(days, ("north",))


def said(found: ValidatedDataset) -> str:
    return found.report["series"]["said"]


def test_the_lags_of_a_row_are_the_numbers_of_its_series_so_many_rows_earlier() -> None:
    found = validated(sales.rows())
    terms = [term.name for term in contract().terms]
    assert terms == ["promotion", *LAGS]
    numbers = {(day, store): number for day, store, _, number in sales.rows()}
    days, stores = sorted({day for day, _ in numbers}), ["north", "south", "west"]
    x = iter(found.dataset.x[:, 1:].tolist())
    for at, day in enumerate(days[14:], 14):
        for store in stores:
            past = [numbers[days[before], store] for before in range(at - 7, at - 14, -1)]
            expected = [numbers[days[at - 7], store], numbers[days[at - 14], store], np.float32(np.mean(past))]
            assert next(x) == pytest.approx(expected), (day, store)


def test_the_first_rows_of_each_series_are_left_out_and_counted_and_not_rejected() -> None:
    found = validated(sales.rows())
    assert "3 series; a row a day; a forecast is 7 rows ahead" in said(found)
    assert "the first 14 rows of each of 3 series are left out, having no lags" in said(found)
    assert (found.report["rows"], found.report["accepted_rows"], found.report["rejected_rows"]) == (360, 318, 0)


def test_rows_may_come_in_any_order() -> None:
    there, turned = validated(sales.rows()).dataset, validated(list(reversed(sales.rows()))).dataset
    assert np.array_equal(turned.x[::-1], there.x)
    assert np.array_equal(turned.fold[::-1], there.fold)


@pytest.mark.integration
def test_a_reader_in_a_process_of_its_own_gives_the_same_series() -> None:
    rows = [*sales.rows(), *sales.to_come(3)]
    rows[50][3], rows[-10][0] = "", "2035-04-30"
    arrived = datetime(2025, 6, 1, tzinfo=UTC).timestamp()
    apart = validate_dataset(csv(rows, HEADER), contract(), read_apart.open_rows, arrived)
    here = validated(rows, arrived)
    assert (apart.digest, apart.report, apart.rejected) == (here.digest, here.report, here.rejected)


def test_the_split_is_by_the_time_of_the_series_with_a_gap_as_long_as_a_forecast_is_ahead() -> None:
    found = validated(sales.rows())
    split, dataset = found.report["split"], found.dataset
    assert (split["by"], split["column"]) == ("time", "day")
    assert "gap of 1 week, as far as a forecast is ahead" in split["said"]
    assert dataset.time is not None
    for tests, trained in [(dataset.tested(fold), dataset.trained(fold)) for fold in range(3)] + [
        (dataset.holdout, dataset.fitted)
    ]:
        assert dataset.time[tests].min() - dataset.time[trained].max() == 7 * 86_400


@pytest.mark.parametrize(("asked", "days"), [("1d", 7), ("9d", 9)])
def test_a_gap_that_is_asked_for_is_kept_where_it_is_longer(asked: str, days: int) -> None:
    dataset = validated(sales.rows(), search={**SALES["search"], "gap": asked}).dataset
    assert dataset.gap == days * 86_400


def test_a_dataset_of_series_is_read_as_it_was_written() -> None:
    dataset = validated(sales.rows()).dataset
    again = Dataset.from_bytes(dataset.to_bytes())
    assert again.series is not None
    assert dataset.series is not None
    assert np.array_equal(again.series, dataset.series)
    assert again.to_bytes() == dataset.to_bytes()
    some = dataset.of(dataset.holdout).series
    assert some is not None
    assert set(some.tolist()) == {0, 1, 2}


def test_rows_to_come_are_passed_over_and_counted() -> None:
    found = validated([*sales.rows(), *sales.to_come(7)])
    assert "21 rows to come are passed over, having no number yet" in said(found)
    assert found.report["rejected_rows"] == 0
    assert found.digest == validated(sales.rows()).digest
    lacking = [[day, store, "", ""] for day, store, _, _ in sales.to_come(7)]
    assert validated([*sales.rows(), *lacking]).report["rejected_rows"] == 0, "what else they lack is nobody's fault"


def test_a_row_that_is_set_aside_leaves_its_place_and_no_lag_falls_on_it() -> None:
    rows = of_one_store()
    whole = validated(rows, series=ALONE).dataset
    rows[50] = [*rows[50][:3], ""]
    found = validated(rows, series=ALONE)
    [reason] = found.report["reasons"]
    assert (reason["column"], reason["reason"].partition(";")[0], reason["first_lines"]) == (
        "sales",
        "is missing",
        [52],
    )
    assert "1 row is left out, a lag falling on a row without a number" in said(found)
    assert len(found.dataset.x) == len(whole.x) - 2
    kept = np.delete(np.arange(len(whole.x)), [50 - 7, 57 - 7])
    assert np.array_equal(found.dataset.x, whole.x[kept])
    rows[50] = [rows[50][0], "north", "perhaps", 60]
    assert len(validated(rows, series=ALONE).dataset.x) == len(whole.x) - 1, "its number is known all the same"


def test_a_number_from_the_future_is_set_aside_by_the_day_of_the_file() -> None:
    rows = sales.rows()
    rows[-1][0] = "2035-04-30"
    arrived = datetime(2025, 6, 1, tzinfo=UTC).timestamp()
    found = validated(rows, arrived)
    [reason] = found.report["reasons"]
    assert reason["column"] == "day"
    assert reason["reason"].startswith("is in the future")
    assert found.report["rejected_rows"] == 1
    assert not validated(rows).report["reasons"], "nobody knows when the file came"
    come = validated([*sales.rows(), *sales.to_come(7)], datetime(2025, 5, 1, tzinfo=UTC).timestamp())
    assert come.report["series"]["rows_to_come"] == 21, "what is to come is in the future"


def test_steps_that_differ_are_told_with_the_usual_one() -> None:
    rows = [row for row in of_one_store() if row[0] not in ("2025-02-03", "2025-02-04", "2025-03-09")]
    found = validated(rows, series=ALONE)
    assert "a row a day as a rule; 2 of 116 steps differ, the longest of 3 days" in said(found)
    assert found.report["series"]["other_steps"] == 2


def test_months_are_steps_although_their_days_differ() -> None:
    rows = [[f"{2000 + at // 12}-{at % 12 + 1:02}-01", "north", False, 100 + at % 12 * 3] for at in range(200)]
    assert "a row a month; " in said(validated(rows, series={"time": "day", "lags": [1, 12]}))


def test_times_may_be_numbers() -> None:
    rows = [[at, *row[1:]] for at, row in enumerate(of_one_store())]
    found = validated(rows, series=ALONE)
    assert "a row every 1; " in said(found)
    assert found.dataset.gap == 7


@pytest.mark.parametrize(
    ("rows", "changes", "told"),
    [
        (
            [*sales.rows(), sales.rows()[4]],
            {},
            "store south has two rows at day 2025-01-02; accepted: one row of a series at a time",
        ),
        (
            sales.rows(),
            {"series": ALONE},
            "the series has two rows at day 2025-01-01, and 239 more rows have the time of another; accepted: one row "
            "of a series at a time, with series.group the column that tells several series apart",
        ),
        (
            sales.rows(14),
            {},
            "the longest series has 14 rows, and the lags go 14 rows back, so no row has all of them; accepted: 15 rows"
            " of a series or more, or smaller lags",
        ),
        (
            of_one_store(20),
            {"series": {"time": "day", "lags": [30]}},
            "the series has 20 rows, and the lags go 30 rows",
        ),
        ([[*row[:3], ""] for row in sales.rows()], {}, "0 acceptable rows that have all lags; at least 20 are needed"),
        ([["", *row[1:]] for row in sales.rows()], {}, "360 of 360 rows are not acceptable"),
        ([[row[0], "", *row[2:]] for row in sales.rows()], {}, "most often: store is missing"),
        (
            of_one_store(35),
            {"series": {"time": "day", "lags": [14]}},
            "a gap of 2 weeks, as far as a forecast is ahead",
        ),
    ],
)
def test_what_is_no_series_is_rejected_with_a_sentence(rows: list[Row], changes: Any, told: str) -> None:
    assert told in rejected(rows, **changes)


def test_a_series_that_is_too_short_is_told_and_the_others_are_learnt_from() -> None:
    rows = [*sales.rows(stores=("north", "south")), *[row for row in sales.rows() if row[1] == "west"][:10]]
    found = validated(rows)
    assert "24 rows" not in said(found)
    assert "38 rows at the beginning are left out, having no lags" in said(found)
    assert "1 series is too short to have a row with all lags" in said(found)


def test_a_lag_is_no_leak_however_much_it_tells() -> None:
    rows = [[row[0], row[1], False, at] for at, row in enumerate(of_one_store())]
    suspects = validated(rows, series=ALONE).report["suspects"]
    assert [one["feature"] for one in suspects] == ["promotion"], "it is the same in every row"
