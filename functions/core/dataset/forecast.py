"""A forecast of the grid: how many grams of CO2e a kWh comes to, by the time.

Read from a list of ours, as JSON or CSV, and from the answers of three services:
https://carbon-intensity.github.io/api-definitions/ (Great Britain, no key),
https://docs.electricitymaps.com and https://docs.watttime.org. None of them is asked unless a stack names it.
"""

from __future__ import annotations

import csv
import json
import math
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LARGEST = 1_000_000
"""Bytes of a forecast: a year of half hours."""
MOST_PARTS = 20_000
MOST_GRAMS = 10_000.0
"""Per kWh: eight times what the oldest coal emits."""
GRAMS_A_POUND = 453.59237
WATTTIME_UNITS = "lbs_co2_per_mwh"
COLUMNS = ("from", "to", "grams_per_kwh")
ACCEPTED = (
    'accepted: a list of {"from", "to", "grams_per_kwh"}, CSV with these three columns, or an answer of'
    " carbonintensity.org.uk, Electricity Maps or WattTime"
)


class NoForecast(ValueError):
    """There is no forecast that could be used. The text says why, and is shown to people."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A time in which the intensity is the same; `begin` and `end` are seconds since 1970, `grams` are per kWh."""

    begin: float
    end: float
    grams: float


class Forecast:
    """The intensity over time, in parts that may leave gaps."""

    def __init__(self, parts: Iterable[Part]) -> None:
        """Raise `NoForecast` where two parts overlap, or there is none."""
        self.parts = tuple(sorted(parts, key=lambda part: part.begin))
        if not self.parts:
            raise NoForecast("the forecast is empty")
        for one, other in pairwise(self.parts):
            if other.begin < one.end:
                at = datetime.fromtimestamp(other.begin, UTC).isoformat()
                raise NoForecast(f"two parts of the forecast overlap: one begins at {at}, before the other ends")
        self._begins = [part.begin for part in self.parts]
        amounts = ((part.end - part.begin) * part.grams for part in self.parts)
        self._before = [0.0, *accumulate(amounts)]
        gaps = (one.end != other.begin for one, other in pairwise(self.parts))
        self._stretch = [0, *accumulate(gaps)]
        """Which parts follow each other without a gap: those of one number."""

    @property
    def end(self) -> float:
        return self.parts[-1].end

    @property
    def edges(self) -> Iterator[float]:
        """The times at which the intensity may change."""
        for part in self.parts:
            yield part.begin
            yield part.end

    def mean(self, begin: float, seconds: float) -> float | None:
        """Return the mean intensity over some seconds, in grams per kWh; None where it is not known throughout."""
        first, last = self._at(begin), self._at(begin + seconds)
        if first is None or last is None or self._stretch[first] != self._stretch[last]:
            return None
        if begin + seconds > self.parts[last].end:
            return None
        return (self._until(last, begin + seconds) - self._until(first, begin)) / seconds

    def _at(self, time: float) -> int | None:
        """Return the last part that begins by then."""
        found = bisect_right(self._begins, time) - 1
        return found if found >= 0 else None

    def _until(self, part: int, time: float) -> float:
        """Return what the parts add up to until a time in one of them, in gram-seconds per kWh."""
        return self._before[part] + (time - self.parts[part].begin) * self.parts[part].grams


def parse(data: bytes) -> Forecast:
    """Read a forecast. Raise `NoForecast` for what is none: the text says what is wrong, and what is accepted."""
    if len(data) > LARGEST:
        raise NoForecast(f"the forecast is larger than {LARGEST:,} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NoForecast(f"the forecast is no text in UTF-8; {ACCEPTED}") from None
    is_json = text.lstrip().startswith(("[", "{"))
    try:
        parts = list(_of_document(json.loads(text)) if is_json else _of_csv(text))
    except NoForecast:
        raise
    except (LookupError, TypeError, ValueError, ArithmeticError, RecursionError, csv.Error) as problem:
        detail = f"{type(problem).__name__}: {str(problem)[:100]}"
        raise NoForecast(f"the forecast is not understood ({detail}); {ACCEPTED}") from None
    if len(parts) > MOST_PARTS:
        raise NoForecast(f"the forecast has {len(parts):,} parts; at most {MOST_PARTS:,} are accepted")
    return Forecast(parts)


def _of_document(document: Any) -> Iterator[Part]:
    match document:
        case [*entries]:
            yield from (_part(entry["from"], entry["to"], entry["grams_per_kwh"]) for entry in entries)
        case {"data": {"data": [*entries]}} | {"data": [{"intensity": _}, *_] as entries}:
            yield from _of_great_britain(entries)
        case {"data": [{"point_time": _}, *_] as entries, "meta": {"units": str(units), **meta}}:
            if units != WATTTIME_UNITS:
                raise NoForecast(f"the forecast is in {units[:50]}; accepted: {WATTTIME_UNITS}")
            points = [(entry["point_time"], entry["value"]) for entry in entries]
            seconds = meta.get("data_point_period_seconds")
            yield from _of_points(points, GRAMS_A_POUND / 1000, float(seconds) if seconds else None)
        case {"forecast": [*entries]}:
            yield from _of_points([(entry["datetime"], entry["carbonIntensity"]) for entry in entries])
        case _:
            raise NoForecast(f"the forecast is not understood; {ACCEPTED}")


def _of_great_britain(entries: Iterable[Any]) -> Iterator[Part]:
    """Yield the parts of those half hours that are forecast."""
    for entry in entries:
        if (grams := entry["intensity"]["forecast"]) is not None:
            yield _part(entry["from"], entry["to"], grams)


def _of_points(points: Sequence[tuple[Any, Any]], factor: float = 1.0, seconds: float | None = None) -> Iterator[Part]:
    """Yield the parts of values that each hold until the next, the last one as long as the one before it.

    With `seconds` each holds so long.
    """
    known = sorted((_time(at), _grams(value) * factor) for at, value in points if value is not None)
    lengths = [other - one for (one, _), (other, _) in pairwise(known)]
    if seconds is None and not lengths:
        raise NoForecast("the forecast has fewer than two values, which do not say how long each holds")
    for place, (at, grams) in enumerate(known):
        length = seconds if seconds is not None else lengths[min(place, len(lengths) - 1)]
        if length <= 0:
            raise NoForecast("the forecast has two values for one time")
        yield Part(begin=at, end=at + length, grams=grams)


def _of_csv(text: str) -> Iterator[Part]:
    rows = csv.DictReader(text.splitlines())
    if not set(COLUMNS) <= {str(name).strip() for name in rows.fieldnames or ()}:
        raise NoForecast(f"the forecast is not understood; {ACCEPTED}")
    for row in rows:
        known = {str(name).strip(): str(value).strip() for name, value in row.items()}
        try:
            grams = float(known["grams_per_kwh"])
        except ValueError:
            raise NoForecast(f"line {rows.line_num} of the forecast: grams_per_kwh is no number") from None
        yield _part(known["from"], known["to"], grams)


def _part(begin: Any, end: Any, grams: Any) -> Part:
    part = Part(begin=_time(begin), end=_time(end), grams=_grams(grams))
    if part.begin >= part.end:
        raise NoForecast(f"a part of the forecast ends before it begins: {str(begin)[:40]} to {str(end)[:40]}")
    return part


def _time(value: Any) -> float:
    try:
        found = datetime.fromisoformat(value)
        seconds = found.timestamp()
    except (TypeError, OverflowError, ValueError):
        raise NoForecast(f"no time: {str(value)[:40]!r}; accepted: 2026-11-30T20:00Z") from None
    if found.tzinfo is None:
        raise NoForecast(f"a time of the forecast has no time zone: {value[:40]}; accepted: 2026-11-30T20:00Z")
    return seconds


def _grams(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise NoForecast(f"no intensity: {str(value)[:40]!r}; accepted: a number of grams per kWh")
    if not 0 <= value <= MOST_GRAMS:
        raise NoForecast(f"an intensity of {value:g}; accepted: 0 to {MOST_GRAMS:,.0f} grams per kWh")
    return float(value)
