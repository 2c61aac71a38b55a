"""Forecasts as they are written: a list of ours, and the answers of three services, shortened."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.dataset import forecast
from functions.core.dataset.forecast import NoForecast, parse

OURS: list[dict[str, Any]] = [
    {"from": "2026-11-30T20:00Z", "to": "2026-11-30T21:00Z", "grams_per_kwh": 310},
    {"from": "2026-11-30T22:00:00+01:00", "to": "2026-11-30T22:30:00Z", "grams_per_kwh": 142.5},
]
CSV = """from,to,grams_per_kwh
2026-11-30T20:00Z,2026-11-30T21:00Z,310
2026-11-30T22:00:00+01:00,2026-11-30T22:30:00Z, 142.5
"""
HALF_HOURS = [
    {"from": "2026-11-30T20:00Z", "to": "2026-11-30T20:30Z", "intensity": {"forecast": 310, "actual": 300}},
    {"from": "2026-11-30T20:30Z", "to": "2026-11-30T21:00Z", "intensity": {"forecast": None, "actual": None}},
    {"from": "2026-11-30T21:00Z", "to": "2026-11-30T21:30Z", "intensity": {"forecast": 142, "actual": None}},
]
BRITISH = {"data": HALF_HOURS}
REGIONAL = {"data": {"regionid": 3, "dnoregion": "North West", "data": HALF_HOURS}}
MAPS = {
    "zone": "DE",
    "forecast": [
        {"carbonIntensity": 310, "datetime": "2026-11-30T20:00:00.000Z"},
        {"carbonIntensity": 142, "datetime": "2026-11-30T21:00:00.000Z"},
    ],
    "updatedAt": "2026-11-30T19:42:00.000Z",
}
WATTTIME = {
    "data": [
        {"point_time": "2026-11-30T20:00:00+00:00", "value": 1000.0},
        {"point_time": "2026-11-30T20:05:00+00:00", "value": 500.0},
    ],
    "meta": {"signal_type": "co2_moer", "units": "lbs_co2_per_mwh", "data_point_period_seconds": 300},
}


def at(text: str) -> float:
    return datetime.strptime(text, "%H:%M").replace(2026, 11, 30, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(json.dumps(OURS), [("20:00", "21:00", 310), ("21:00", "22:30", 142.5)], id="ours"),
        pytest.param(json.dumps(OURS[::-1]), [("20:00", "21:00", 310), ("21:00", "22:30", 142.5)], id="in any order"),
        pytest.param(CSV, [("20:00", "21:00", 310), ("21:00", "22:30", 142.5)], id="csv"),
        pytest.param("\ufeff" + CSV, [("20:00", "21:00", 310), ("21:00", "22:30", 142.5)], id="csv of a spreadsheet"),
        pytest.param(json.dumps(BRITISH), [("20:00", "20:30", 310), ("21:00", "21:30", 142)], id="Great Britain"),
        pytest.param(json.dumps(REGIONAL), [("20:00", "20:30", 310), ("21:00", "21:30", 142)], id="a region of it"),
        pytest.param(json.dumps(MAPS), [("20:00", "21:00", 310), ("21:00", "22:00", 142)], id="Electricity Maps"),
        pytest.param(
            json.dumps(WATTTIME), [("20:00", "20:05", 453.59237), ("20:05", "20:10", 226.796185)], id="WattTime"
        ),
    ],
)
def test_a_forecast_is_read(data: str, expected: list[tuple[str, str, float]]) -> None:
    found = [(part.begin, part.end, pytest.approx(part.grams)) for part in parse(data.encode()).parts]
    assert found == [(at(begin), at(end), grams) for begin, end, grams in expected]


def changed(**facts: Any) -> str:
    return json.dumps([{**OURS[0], **facts}])


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param("", "not understood", id="nothing"),
        pytest.param("<html>", "not understood", id="a page"),
        pytest.param("[1, 2", "not understood", id="cut off"),
        pytest.param("[" * 100_000, "not understood", id="deep"),
        pytest.param("[1]", "not understood", id="numbers"),
        pytest.param("{}", "not understood", id="an empty object"),
        pytest.param("[]", "empty", id="an empty list"),
        pytest.param('{"data": []}', "not understood", id="no data"),
        pytest.param(json.dumps([{"from": "2026-11-30T20:00Z"}]), "not understood", id="without an end"),
        pytest.param(changed(to="tomorrow"), "no time: 'tomorrow'", id="no time"),
        pytest.param(changed(to=5), "no time: '5'", id="a number as time"),
        pytest.param(changed(to="2026-11-30T21:00"), "no time zone", id="no zone"),
        pytest.param(changed(to="2026-11-30T19:00Z"), "ends before it begins", id="backwards"),
        pytest.param(changed(grams_per_kwh=True), "no intensity", id="a truth value"),
        pytest.param(changed(grams_per_kwh="310"), "no intensity", id="a text"),
        pytest.param(changed(grams_per_kwh=float("nan")), "no intensity", id="not a number"),
        pytest.param(changed(grams_per_kwh=10**400), "not understood", id="a huge number"),
        pytest.param(changed(grams_per_kwh=-1), "intensity of -1", id="below zero"),
        pytest.param(changed(grams_per_kwh=310_000), "intensity of 310000", id="in other units"),
        pytest.param(json.dumps([OURS[0], OURS[0]]), r"one begins at 2026-11-30T20:00:00\+00:00, before", id="twice"),
        pytest.param(CSV.replace("310", "much"), "line 2 of the forecast: grams_per_kwh is no number", id="csv"),
        pytest.param("a,b\n1,2\n", "not understood", id="another csv"),
        pytest.param(json.dumps({**MAPS, "forecast": MAPS["forecast"][:1]}), "fewer than two values", id="one value"),
        pytest.param(
            json.dumps({**WATTTIME, "meta": {"units": "percentile"}}),
            "is in percentile; accepted: lbs",
            id="percentiles",
        ),
    ],
)
def test_what_is_no_forecast_is_refused_in_a_sentence(data: str, problem: str) -> None:
    with pytest.raises(NoForecast, match=problem) as refused:
        parse(data.encode())
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(NoForecast, match="no text in UTF-8"):
        parse(b"\xff\xfe")


def test_more_than_can_be_used_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "MOST_PARTS", 1)
    with pytest.raises(NoForecast, match="2 parts; at most 1"):
        parse(json.dumps(OURS).encode())
    with pytest.raises(NoForecast, match="larger than 1,000,000 bytes"):
        parse(b" " * 1_000_001)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("2026-11-30T20:00Z"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["data", "from", "to", "grams_per_kwh", "forecast", "intensity", "meta", "units", "value", "datetime"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON.map(lambda document: json.dumps(document).encode()) | st.binary(max_size=60))
def test_whatever_it_is_it_is_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(NoForecast):
        parse(data)
