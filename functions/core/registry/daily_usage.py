"""What a model used on a day: its predictions and jobs by version, its runs by step, from lists of keys alone.

A day is that on which a record was written, UTC. Its sum is the same however often it is made.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from functions.core.registry import usage_records
from functions.core.registry.capture_index import HOURS, CaptureDay
from functions.core.runtime.usage import Usage
from interface import layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from functions.core.storage.objects import Objects

_READERS = 8


@dataclass(kw_only=True)
class Day:
    """The usage of one model on one day, or on several."""

    predictions: dict[str, Usage] = field(default_factory=dict)
    """By version; `none` are requests that no version answered."""
    jobs: dict[str, Usage] = field(default_factory=dict)
    runs: dict[str, dict[str, Usage]] = field(default_factory=dict)
    """By run, and within it by step."""

    def _all(self) -> Iterator[Usage]:
        yield from self.predictions.values()
        yield from self.jobs.values()
        for steps in self.runs.values():
            yield from steps.values()

    @property
    def total(self) -> Usage:
        return Usage.total(self._all())

    def add(self, other: Day) -> None:
        """Add what another day used."""
        for mine, its in ((self.predictions, other.predictions), (self.jobs, other.jobs)):
            usage_records.add(mine, its.items())
        for run, steps in other.runs.items():
            usage_records.add(self.runs.setdefault(run, {}), steps.items())

    def document(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {
            "predictions": _documents(self.predictions),
            "jobs": _documents(self.jobs),
            "runs": {run: _documents(steps) for run, steps in sorted(self.runs.items())},
            "total": self.total.document(),
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Day:
        """Read what `document` returned. Raise `KeyError` or `TypeError` for anything else."""
        read = {kind: _read(document[kind]) for kind in ("predictions", "jobs")}
        return cls(**read, runs={run: _read(steps) for run, steps in document["runs"].items()})


@dataclass(frozen=True, kw_only=True)
class DailyUsage:
    """The usage of one model, by day."""

    model: str
    models: Objects
    captures: Objects
    jobs: Objects

    def key(self, day: str) -> str:
        """Return where the sum of a day lies, in the models store."""
        return f"{self.model}/{layout.USAGE}{day}.json"

    def summed(self) -> list[str]:
        """Return the days that have a sum, sorted."""
        keys = self.models.keys(f"{self.model}/{layout.USAGE}")
        return sorted(key.rpartition("/")[2].removesuffix(".json") for key in keys)

    def read(self, day: str) -> Day | None:
        """Return the stored sum of a day; None where there is none. Raise `Unreadable`."""
        document = self.models.find_json(self.key(day))
        return None if document is None else Day.of(document)

    def write(self, day: str, used: Day) -> None:
        """Store the sum of a day, in place of any other."""
        self.models.put_json(self.key(day), {"model": self.model, "day": day, **used.document()})

    def sums(self, days: Iterable[str]) -> dict[str, Day]:
        """Sum days anew from the records, those of predictions hour by hour, several at a time."""
        found = {day: Day() for day in days}
        for day, of_day in found.items():
            of_day.predictions = self._captured(day)
        if not found:
            return found
        for key in self.jobs.keys(layout.below(self.model, layout.JOB_WORK).rstrip("/")):
            if (day := found.get(usage_records.day_of(key))) is not None:
                usage_records.add(day.jobs, usage_records.read(key))
        for key in self.models.keys(f"{self.model}/{layout.RUNS}".rstrip("/")):
            if (day := found.get(usage_records.day_of(key))) is not None:
                usage_records.add(day.runs.setdefault(key.split("/")[2], {}), usage_records.read(key))
        return found

    def _captured(self, day: str) -> dict[str, Usage]:
        """Return what the keys of a day's captures tell, also of those that files stand for by now."""
        place = CaptureDay(objects=self.captures, model=self.model, day=day)
        index = place.index()
        while True:
            used = dict(index.usage)
            with ThreadPoolExecutor(_READERS) as pool:
                for keys in pool.map(partial(place.hour, index=index), range(HOURS)):
                    for key in keys:
                        usage_records.add(used, usage_records.read(key))
            before, index = index, place.index()
            if index == before:  # else it is being compacted, and a key may be gone, or counted twice
                return used


def days(until: date, number: int) -> list[str]:
    """Return so many days, the last of which is `until`, in order."""
    return [f"{until - timedelta(days=back):%Y-%m-%d}" for back in reversed(range(number))]


def _documents(usage: Mapping[str, Usage]) -> dict[str, Any]:
    return {name: used.document() for name, used in sorted(usage.items())}


def _read(documents: Mapping[str, Any]) -> dict[str, Usage]:
    return {name: Usage.of(document) for name, document in documents.items()}
