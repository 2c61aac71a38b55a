"""Which slot is chosen, for any window and forecast; a day begins at 0."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.dataset.forecast import Forecast, Part
from functions.core.dataset.slot import Slot, choose
from interface.window import Window

HOUR = 3_600
MINUTE = 60


def window(between: str | None = None, *, deadline: float = 10 * HOUR, run: float = HOUR) -> Window:
    return Window(deadline_seconds=deadline, run_seconds=run, between=between)


def hourly(*grams: float | None, begin: float = 0.0, hours: float = 1.0) -> Forecast:
    """Return a forecast of one value after the other; None leaves a gap."""
    length = hours * HOUR
    return Forecast(
        Part(begin=begin + place * length, end=begin + (place + 1) * length, grams=value)
        for place, value in enumerate(grams)
        if value is not None
    )


def test_the_slot_is_the_hour_of_the_lowest_intensity() -> None:
    forecast = hourly(300, 200, 100, 250, 300, 310, 320, 330, 340, 350, 360)
    assert choose(window(), 0.0, 0.0, forecast) == Slot(at=2 * HOUR, grams=100)


def test_a_run_longer_than_an_hour_is_compared_by_its_mean() -> None:
    forecast = hourly(300, 100, 300, 180, 190, 400, 400, 400, 400, 400, 400, 400)
    assert choose(window(run=2 * HOUR), 0.0, 0.0, forecast) == Slot(at=3 * HOUR, grams=185)


def test_a_run_may_end_where_a_dirty_hour_begins() -> None:
    forecast = hourly(400, 100, 100, 900, *[900] * 8)
    assert choose(window(run=1.5 * HOUR), 0.0, 0.0, forecast) == Slot(at=HOUR, grams=100)


def test_of_equal_slots_the_earliest_is_chosen() -> None:
    assert choose(window(), 0.0, 0.0, hourly(300, 100, 200, 100, *[300] * 8)).at == HOUR


def test_hours_outside_of_the_window_are_not_chosen_however_clean() -> None:
    forecast = hourly(10, 10, 300, 200, 250, *[10] * 8)
    assert choose(window("02:00-04:00"), 0.0, 0.0, forecast) == Slot(at=3 * HOUR, grams=200)


@pytest.mark.parametrize(("between", "at"), [(None, 0), ("02:00-04:00", 2 * HOUR)], ids=["any hour", "two hours"])
def test_without_a_forecast_it_is_the_first_time_of_the_window(between: str | None, at: float) -> None:
    assert choose(window(between), 0.0, 0.0) == Slot(at=at)


@pytest.mark.parametrize(
    "forecast",
    [hourly(1, 2, begin=-9 * HOUR), hourly(1, 2, begin=99 * HOUR), hourly(1, None, 2, hours=0.5)],
    ids=["of the past", "of another day", "full of gaps"],
)
def test_a_forecast_that_covers_no_run_is_as_good_as_none(forecast: Forecast) -> None:
    assert choose(window(), 0.0, 0.0, forecast) == Slot(at=0.0)


def test_of_a_forecast_with_gaps_the_runs_are_compared_that_it_covers() -> None:
    assert choose(window(), 0.0, 0.0, hourly(None, 300, 200, None, 5, hours=0.75)).at == 1.25 * HOUR


def test_after_the_deadline_it_is_now() -> None:
    assert choose(window(), 0.0, 10 * HOUR + 5, hourly(*range(20))).at == 10 * HOUR + 5


def test_where_no_hour_of_the_window_is_left_it_is_the_deadline() -> None:
    assert choose(window("02:00-04:00"), 0.0, 5.0 * HOUR) == Slot(at=10 * HOUR, outside=True)


TIMES = st.integers(0, 24 * 60).map(lambda minutes: float(minutes * MINUTE))


@st.composite
def hours(draw: st.DrawFn) -> str | None:
    first, last = draw(st.lists(st.integers(0, 1439), min_size=2, max_size=2, unique=True))
    text = f"{first // 60:02}:{first % 60:02}-{last // 60:02}:{last % 60:02}"
    return draw(st.sampled_from([None, text]))


@st.composite
def forecasts(draw: st.DrawFn) -> Forecast | None:
    lengths = draw(st.lists(st.integers(1, 180), min_size=1, max_size=24))
    at, parts = draw(TIMES), []
    for minutes in lengths:
        if draw(st.booleans()) or not parts:
            grams = draw(st.integers(0, 900))
            parts.append(Part(begin=at, end=at + minutes * MINUTE, grams=float(grams)))
        at += minutes * MINUTE
    return draw(st.sampled_from([None, Forecast(parts)]))


def mean(parts: Sequence[Part], begin: float, seconds: float) -> float | None:
    """Return the mean intensity by its definition, minute by minute; None where one of the minutes is not covered."""
    values = []
    for place in range(round(seconds / MINUTE)):
        at = begin + place * MINUTE
        covering = [part.grams for part in parts if part.begin <= at and at + MINUTE <= part.end]
        if not covering:
            return None
        values.append(covering[0])
    return sum(values) / len(values)


@given(hours(), forecasts(), TIMES, TIMES, st.integers(1, 20), st.integers(1, 300))
def test_no_start_that_the_window_allows_is_better_and_none_outside_of_it_is_chosen(
    between: str | None, forecast: Forecast | None, since: float, passed: float, deadline: int, run: int
) -> None:
    rule = window(between, deadline=deadline * HOUR, run=run * MINUTE)
    now, end = since + passed, since + deadline * HOUR
    slot = choose(rule, since, now, forecast)
    assert now <= slot.at <= max(end, now)
    if now >= end:
        assert slot.at == now
        return
    allowed = [at for at in minutes(now, end) if rule.parts(at, at)]
    if not allowed:
        assert slot == Slot(at=end, outside=True)
        return
    assert rule.parts(slot.at, slot.at)
    known = {at: found for at in allowed if forecast and (found := mean(forecast.parts, at, run * MINUTE)) is not None}
    if not known:
        assert slot == Slot(at=allowed[0])
        return
    assert slot.grams == pytest.approx(min(known.values()), abs=1e-5)
    assert slot.at == min(at for at, found in known.items() if found <= min(known.values()) + 1e-9)


def minutes(first: float, last: float) -> list[float]:
    return [first + place * MINUTE for place in range(round((last - first) / MINUTE) + 1)]


@given(forecasts(), TIMES, st.integers(1, 300))
def test_the_mean_is_that_of_its_minutes(forecast: Forecast | None, begin: float, run: int) -> None:
    if forecast is not None:
        found, expected = forecast.mean(begin, run * MINUTE), mean(forecast.parts, begin, run * MINUTE)
        assert (found is None) == (expected is None)
        assert found == pytest.approx(expected, abs=1e-5)
