"""A table of series becomes a forecast, where that is asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.core.dataset import read_here
from functions.core.dataset.validation import validate_dataset
from sml.init import verdict
from sml.init.making import Wish, make
from sml.init.proposal import Proposal
from sml.init.series_guess import SeriesGuess
from sml.init.table import blocks_of
from sml.init.verdict_report import report
from sml.init.written import contract_of
from sml.mistake import Mistake
from tests.functions import sales
from tests.functions.bench import MODEL, Bench, csv
from tests.functions.sales import HEADER, Row
from tests.sml.init.tables import becomes, made
from tests.sml.init.test_training import fewer

FORECASTING = {"target": "sales", "task": "forecasting"}


def proposed(rows: list[Row], folder: Path, header: tuple[str, ...] = HEADER) -> Proposal:
    return made(csv(rows, header), folder, force=True, **FORECASTING).proposal


def series(found: Proposal) -> SeriesGuess:
    assert found.series is not None
    return found.series


def test_the_time_the_group_and_the_lags_of_days_are_found(tmp_path: Path) -> None:
    found = proposed([*sales.rows(), *sales.to_come(7)], tmp_path)
    assert becomes(found) == {"day": "date", "store": "category", "promotion": "boolean"}
    assert (series(found).time, series(found).group, series(found).count) == ("day", "store", 3)
    assert (series(found).lags, series(found).means, series(found).to_come) == ((7, 14, 21, 28), (7,), 21)
    contract = contract_of(found)
    assert (contract.task, contract.search.time, contract.gate.measure) == ("forecasting", "day", "skill")
    assert [one.name for one in contract.columns] == ["day", "store", "promotion"]
    assert contract.quality.maximum_rejected_share == 0.02, "what is to come is no fault"
    assert [one.name for one in found.families] == ["boosting"]


@pytest.mark.parametrize(
    ("step", "lags", "means"),
    [
        (timedelta(hours=1), (24, 48, 168), (24,)),
        (timedelta(days=7), (1, 2, 3, 12), ()),
        (timedelta(minutes=15), (1, 2, 3, 12), ()),
    ],
)
def test_lags_fit_the_step_of_the_dates(
    step: timedelta, lags: tuple[int, ...], means: tuple[int, ...], tmp_path: Path
) -> None:
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    rows = [[f"{begin + at * step:%Y-%m-%dT%H:%M}", row[3]] for at, row in enumerate(sales.rows(720, ("north",)))]
    found = proposed(rows, tmp_path, ("when", "sales"))
    assert (series(found).time, series(found).group) == ("when", None)
    assert (series(found).lags, series(found).means) == (lags, means)


def test_a_short_series_has_shorter_lags(tmp_path: Path) -> None:
    found = proposed(sales.rows(60, ("north",)), tmp_path)
    assert (series(found).lags, series(found).means) == ((7, 14), (7,))


def test_a_column_of_numbers_is_forecast_that_nobody_named(tmp_path: Path) -> None:
    header = (*HEADER[:3], "sold")
    found = made(csv(sales.rows(), header), tmp_path, task="forecasting").proposal
    assert (found.target.name, found.target.why) == ("sold", "the only column of numbers")
    rows = [[*row, at] for at, row in enumerate(sales.rows())]
    named = made(csv(rows, (*HEADER, "seen")), tmp_path, task="forecasting", force=True).proposal
    assert (named.target.name, named.target.why) == ("sales", "its name is that of a number to predict")


def test_a_series_of_a_row_leaves_the_lags_of_the_others_as_they_are(tmp_path: Path) -> None:
    found = proposed([*sales.rows(), ["2025-01-05", "new", False, 7]], tmp_path)
    assert (series(found).count, series(found).lags) == (4, (7, 14, 21, 28))


def test_a_mean_that_gaps_take_from_most_rows_is_left_out_and_rows_are_counted_as_training_does(tmp_path: Path) -> None:
    rows = [[*row[:3], "inf" if at % 40 == 3 else row[3]] for at, row in enumerate(sales.rows(300))]
    found = proposed(rows, tmp_path)
    assert (series(found).lags, series(found).means) == ((7, 14, 21, 28), (7,))
    assert "sales is no finite number in 23 of 900 rows (2.6 %), which are set aside" in found.warnings
    with blocks_of(tmp_path / "data.csv") as blocks:
        dataset = validate_dataset(blocks, contract_of(found), read_here.open_rows)
    assert dataset.report["accepted_rows"] == series(found).complete


def test_a_column_is_no_feature_unless_the_table_shows_that_it_is_known_ahead(tmp_path: Path) -> None:
    header = (*HEADER, "visitors", "region")
    region = {"north": "hills", "south": "coast", "west": "coast"}
    rows = [[*row, row[3] * 2 + at % 5, region[row[1]]] for at, row in enumerate(sales.rows())]
    found = proposed(rows, tmp_path, header)
    assert becomes(found) == {
        "day": "date", "store": "category", "promotion": "ignore", "visitors": "ignore", "region": "category",
    }  # fmt: skip
    told = "visitors is ignored: is it known 7 rows ahead? Then it belongs under features, and rows to come have it"
    assert told in found.warnings
    to_come = [[*row, "", region[row[1]]] for row in sales.to_come(7)]
    assert becomes(proposed([*rows, *to_come], tmp_path, header))["promotion"] == "boolean"


def test_a_date_that_is_written_otherwise_is_read_as_its_feature_says(tmp_path: Path) -> None:
    rows = [[".".join(reversed(row[0].split("-"))), *row[1:]] for row in sales.rows()]
    found = proposed(rows, tmp_path)
    assert series(found).lags == (7, 14, 21, 28)
    assert next(one for one in found.features if one.name == "day").format == "%d.%m.%Y"


@pytest.mark.parametrize(
    ("rows", "header", "wish", "told"),
    [
        (
            sales.rows(),
            HEADER,
            {"task": "ranking"},
            "--task ranking: accepted: forecasting; of other tables the target",
        ),
        (sales.rows(), HEADER, {"target": "store"}, "store holds no numbers, which --task forecasting predicts"),
        ([row[1:] for row in sales.rows()], HEADER[1:], {}, "takes a column of dates or times, one in every row"),
        (
            [[row[0], row[2], row[3]] for row in sales.rows()],
            ("day", "promotion", "sales"),
            {},
            "several rows have one day, and no column tells their series apart",
        ),
        (
            [*sales.rows(), ["2025-01-05", "north", False, 7]],
            HEADER,
            {},
            "would have one row at a time; store does, but north has 2 rows at 2025-01-05",
        ),
        (
            [["05/01/2025" if at == 12 else row[0], *row[1:]] for at, row in enumerate(sales.rows())],
            HEADER,
            {},
            "day has 05/01/2025, which is no date or is written otherwise than others: write all in one way",
        ),
        (
            [["" if at == 12 else row[0], *row[1:]] for at, row in enumerate(sales.rows())],
            HEADER,
            {},
            "day has none in",
        ),
        ([row[:2] for row in sales.rows()], HEADER[:2], {"target": None}, "has no column of numbers, which"),
        (
            [[*row[:3], row[3], row[3] + 1] for row in sales.rows()],
            (*HEADER[:3], "sold", "seen"),
            {"target": None},
            "name it, as --target seen; these hold numbers: sold, seen",
        ),
    ],
)
def test_a_table_that_is_no_series_is_a_mistake(
    rows: list[Row], header: tuple[str, ...], wish: dict[str, str], told: str, tmp_path: Path
) -> None:
    with pytest.raises(Mistake) as mistake:
        made(csv(rows, header), tmp_path, **{**FORECASTING, **wish})
    assert told in str(mistake.value)


def test_nobody_gets_a_forecast_who_does_not_ask_for_one(tmp_path: Path) -> None:
    assert made(csv(sales.rows(), HEADER), tmp_path, target="sales").proposal.series is None


def test_what_is_proposed_is_trained_and_registered_and_told_by_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "data.csv"
    file.write_bytes(csv([*sales.rows(), *sales.to_come(7)], HEADER))
    models = tmp_path / "models"
    models.mkdir()
    wish = Wish(model=MODEL, table=file, target="sales", task="forecasting")
    make(wish, models=models, root=tmp_path, read=read_here.open_rows)
    fewer(models / MODEL / "model.yaml")
    bench = Bench(folder=models)
    run, answer = bench.run_through(file.read_bytes())
    assert answer["status"] == "registered", bench.record(run)
    found = verdict.check(verdict.contract_of(MODEL, models), file, read_here.open_rows)
    report(found, file, as_json=False)
    told = capsys.readouterr().out
    assert (found.rows, found.accepted_rows, found.rejected_rows, found.rejected) == (381, 276, 0, ())
    assert "sales becomes 5 features of rows that come later: sales_lag_7, sales_lag_14" in told
    assert "series: 3 series; a row a day; a forecast is 7 rows ahead" in told
    assert "split by day: " in told
