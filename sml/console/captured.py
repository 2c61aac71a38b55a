"""The captures, as pages show them: the newest requests, and a release over time."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as clock
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from functions.core.registry.capture_index import HOURS, CaptureDay
from functions.core.release.rollout_metrics import ASKED
from interface import layout

if TYPE_CHECKING:
    from functions.core.registry.capture_index import CaptureFile
    from functions.core.storage.objects import Objects

Capture = dict[str, Any]
READERS = 16
MOST_OBJECTS = 400
"""Objects that one page reads: of more, so many, evenly spread over the time."""
KEPT = 4_000
"""Objects that are kept in memory: they never change."""
DAY = re.compile(r"\d{4}-\d\d-\d\d")
PARTS = 30
"""Points of a line, at most."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the time of a release, in numbers. None: nothing to measure it on."""

    at: float
    requests: int
    challenger_errors: float | None
    champion_errors: float | None
    agreement: float | None
    challenger_ms: float | None
    champion_ms: float | None


class Captured:
    """The captures of a stack."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._kept: OrderedDict[str, list[Capture]] = OrderedDict()

    def newest(self, model: str, count: int) -> list[Capture]:
        """Return the newest captures, the newest first."""
        found: list[Capture] = []
        for day in self._days(model):
            index = self._day(model, day).index()
            for hour in reversed(range(HOURS)):
                keys = self._day(model, day).hour(hour, index)[::-1]
                for start in range(0, len(keys), READERS):
                    found += self._read(keys[start : start + READERS])
                    if len(found) >= count:
                        return sorted(found, key=_time, reverse=True)[:count]
            # A part of a day is one file for each version: of all of them the newest are looked for.
            for one in index.files if len(found) < count else ():
                found += self._file(one)
            if len(found) >= count:
                break
        return sorted(found, key=_time, reverse=True)[:count]

    def between(self, model: str, since: float, until: float) -> tuple[list[Capture], float]:
        """Return the captures of a time, the oldest first, and the share of the objects that was read."""
        keys: list[str] = []
        found: list[Capture] = []
        day, end = datetime.fromtimestamp(since, UTC).date(), datetime.fromtimestamp(until, UTC).date()
        while day <= end:
            place = self._day(model, f"{day:%Y-%m-%d}")
            index = place.index()
            for one in index.files:
                found += self._file(one)
            for hour in range(HOURS):
                begins = datetime.combine(day, clock(hour, tzinfo=UTC)).timestamp()
                if begins + 3600 > since and begins <= until:
                    keys += place.hour(hour, index)
            day += timedelta(days=1)
        chosen = keys[:: -(-len(keys) // MOST_OBJECTS) if keys else 1]
        found = [one for one in (*found, *self._read(chosen)) if since <= _time(one) <= until]
        return sorted(found, key=_time), (len(chosen) / len(keys) if keys else 1.0)

    def _days(self, model: str) -> list[str]:
        """Return the days that hold captures, the newest first."""
        folder = f"{model}/{layout.CAPTURE_INDEX}".rstrip("/")
        days = {key.rpartition("/")[2].removesuffix(".json") for key in self._objects.keys(folder)}
        days |= set(self._objects.folders(f"{model}/"))
        return sorted((day for day in days if DAY.fullmatch(day)), reverse=True)

    def _day(self, model: str, day: str) -> CaptureDay:
        return CaptureDay(objects=self._objects, model=model, day=day)

    def _file(self, one: CaptureFile) -> list[Capture]:
        """Return what a file tells of its requests. It never changes, and is kept in memory as an object is."""
        if one.key not in self._kept:
            from functions.core.watching.capture_requests import records_of  # noqa: PLC0415 - numpy takes long to import

            content = self._objects.find(one.key)
            self._kept[one.key] = [] if content is None else list(records_of(content, one.version))
        return self._kept[one.key]

    def _read(self, keys: Sequence[str]) -> list[Capture]:
        new = [key for key in keys if key not in self._kept]
        with ThreadPoolExecutor(READERS) as readers:
            for key, content in zip(new, readers.map(self._objects.find, new), strict=True):
                self._kept[key] = list(_captures(content or b""))
        found = [one for key in keys for one in self._kept.get(key, ())]
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return found


def over_time(captures: Sequence[Capture], version: str, since: float, until: float) -> list[Part]:
    """Return how a challenger and its champion did, part by part of a time."""
    length = max((until - since) / PARTS, 1.0)
    parts: dict[int, list[Capture]] = {}
    for one in captures:
        parts.setdefault(int((_time(one) - since) / length), []).append(one)
    return [_part(min(since + (place + 0.5) * length, until), parts[place], version) for place in sorted(parts)]


def _part(at: float, captures: Sequence[Capture], version: str) -> Part:
    asked = [one for one in captures if one.get("variant") in ASKED and one.get("version") == version]
    compared = [one for one in asked if not one.get("error") and one.get("champion")]
    champion = [one for one in captures if one.get("variant") in ("champion", "previous")]
    answered = len(champion) + sum(1 for one in asked if one.get("champion"))
    failed = sum(1 for one in champion if one.get("error"))
    return Part(
        at=at,
        requests=len(asked),
        challenger_errors=_mean(bool(one.get("error")) for one in asked),
        champion_errors=failed / answered if answered else None,
        agreement=_mean(one["agreed"] / one["rows"] for one in compared if one.get("rows")),
        challenger_ms=_median(one.get("ms") for one in compared),
        champion_ms=_median(one["champion"].get("ms") for one in compared),
    )


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return fmean(found) if found else None


def _median(values: Iterable[Any]) -> float | None:
    found = [value for value in values if isinstance(value, int | float)]
    return median(found) if found else None


def _time(capture: Mapping[str, Any]) -> float:
    at = capture.get("time")
    return float(at) if isinstance(at, int | float) else 0.0


def _captures(content: bytes) -> Iterable[Capture]:
    for line in content.splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue  # cut off in the writing
        if isinstance(found, dict):
            yield found
