"""When something is due, in five fields of cron, read once: each cloud says it in its own way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, kw_only=True)
class Cron:
    """What each field allows, UTC; None is everything."""

    minutes: frozenset[int] | None
    hours: frozenset[int] | None
    days: frozenset[int] | None
    months: frozenset[int] | None
    weekdays: frozenset[int] | None
    """Sunday is 0."""


@dataclass(frozen=True, kw_only=True)
class _Field:
    name: str
    least: int
    most: int

    def values(self, text: str) -> frozenset[int]:
        return frozenset(value for part in text.split(",") for value in self._part(part))

    def _part(self, part: str) -> Iterable[int]:
        span, stepped, step = part.partition("/")
        first, ranged, last = span.partition("-")
        if span == "*":
            start, end = self.least, self.most
        else:
            start = self._number(first)
            end = self._number(last) if ranged else start
        if stepped and (span != "*" and not ranged):
            raise ValueError(f"{self.name}: {part}: a step follows * or a range, as in */{step}")
        size = int(step) if step.isdecimal() else 0
        if stepped and size < 1:
            raise ValueError(f"{self.name}: {part}: a step is a whole number from 1")
        if start > end:
            raise ValueError(f"{self.name}: {part}: a range rises")
        return range(start, end + 1, size or 1)

    def _number(self, text: str) -> int:
        if not text.isdecimal() or not self.least <= int(text) <= self.most:
            raise ValueError(f"{self.name}: {text or 'nothing'} is not a number from {self.least} to {self.most}")
        return int(text)


FIELDS = (
    _Field(name="minute", least=0, most=59),
    _Field(name="hour", least=0, most=23),
    _Field(name="day of month", least=1, most=31),
    _Field(name="month", least=1, most=12),
    _Field(name="day of week", least=0, most=7),
)


def parse(text: str) -> Cron:
    """`0 3 * * 1` is Mondays at 3:00; 0 and 7 are both Sunday.

    Raises `ValueError` for what is not five-field cron, and for one that restricts both the day
    of the month and the day of the week: cron means either of them, and not every cloud can say so.
    """
    parts = text.split()
    if len(parts) != len(FIELDS):
        raise ValueError(
            f'five fields are needed, found {len(parts)}: as in "0 3 * * 1" (minute, hour, day of month, month,'
            " day of week: Mondays at 3:00 UTC)"
        )
    minutes, hours, days, months, weekdays = (
        _restricted(field, field.values(part)) for field, part in zip(FIELDS, parts, strict=True)
    )
    sundays_once = None if weekdays is None else frozenset(value % 7 for value in weekdays)
    if sundays_once is not None and len(sundays_once) == 7:
        sundays_once = None
    if days is not None and sundays_once is not None:
        raise ValueError(
            "day of month and day of week are both restricted; one of them is accepted, and * for the other"
        )
    return Cron(minutes=minutes, hours=hours, days=days, months=months, weekdays=sundays_once)


def spelt(values: Iterable[int] | None) -> str:
    """One field again: `*`, or numbers, and runs of at least three of them as ranges."""
    if values is None:
        return "*"
    ordered = sorted(values)
    breaks = [0, *(at + 1 for at, (one, next_) in enumerate(pairwise(ordered)) if next_ != one + 1), len(ordered)]
    runs = [ordered[start:end] for start, end in pairwise(breaks)]
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in runs)


def _restricted(field: _Field, values: frozenset[int]) -> frozenset[int] | None:
    return None if len(values) == field.most - field.least + 1 else values
