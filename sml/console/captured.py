"""The captures, as pages show them: the newest requests, and a release over time."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from functions.core.registry.captures import folder
from functions.core.release.rollout_metrics import ASKED

if TYPE_CHECKING:
    from functions.core.storage.objects import Objects

Capture = dict[str, Any]
READERS = 16
MOST_OBJECTS = 400
"""Objects that one page reads: of more, so many, evenly spread over the time."""
KEPT = 4_000
"""Objects that are kept in memory: they never change."""
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
        days = [name for name in self._objects.folders(f"{model}/") if name[:1].isdecimal()]
        for day in sorted(days, reverse=True):
            for hour in sorted(self._objects.folders(f"{model}/{day}/"), reverse=True):
                keys = sorted(self._objects.keys(f"{model}/{day}/{hour}"), reverse=True)
                for start in range(0, len(keys), READERS):
                    found += self._read(keys[start : start + READERS])
                    if len(found) >= count:
                        return sorted(found, key=_time, reverse=True)[:count]
        return sorted(found, key=_time, reverse=True)

    def between(self, model: str, since: float, until: float) -> tuple[list[Capture], float]:
        """Return the captures of a time, the oldest first, and the share of the objects that was read."""
        hour, end = datetime.fromtimestamp(since - since % 3600, UTC), datetime.fromtimestamp(until, UTC)
        keys: list[str] = []
        while hour <= end:
            keys += sorted(self._objects.keys(folder(model, hour.timestamp())))
            hour += timedelta(hours=1)
        chosen = keys[:: -(-len(keys) // MOST_OBJECTS) if keys else 1]
        found = [one for one in self._read(chosen) if since <= _time(one) <= until]
        return sorted(found, key=_time), (len(chosen) / len(keys) if keys else 1.0)

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
