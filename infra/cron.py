"""Schedules in five fields of cron, parsed once: each cloud writes them in its own syntax."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, kw_only=True)
class Cron:
    """The values that each field allows, UTC; None allows all of them."""

    minutes: frozenset[int] | None
    hours: frozenset[int] | None
    days: frozenset[int] | None
    months: frozenset[int] | None
    weekdays: frozenset[int] | None
    """Sunday is 0."""


@dataclass(frozen=True, kw_only=True)
class _Field:
    name: str
    lowest: int
    highest: int

    def values(self, text: str) -> frozenset[int]:
        return frozenset(value for part in text.split(",") for value in self._part(part))

    def _part(self, part: str) -> Iterable[int]:
        span, stepped, step = part.partition("/")
        first, ranged, last = span.partition("-")
        if span == "*":
            start, end = self.lowest, self.highest
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
        if not text.isdecimal() or not self.lowest <= int(text) <= self.highest:
            raise ValueError(f"{self.name}: {text or 'nothing'} is not a number from {self.lowest} to {self.highest}")
        return int(text)


DAY_MINUTES = 1440
CYCLE_DAYS = 9 * 366
"""More than eight years, in which the 29th of February comes twice."""
FIELDS = (
    _Field(name="minute", lowest=0, highest=59),
    _Field(name="hour", lowest=0, highest=23),
    _Field(name="day of month", lowest=1, highest=31),
    _Field(name="month", lowest=1, highest=12),
    _Field(name="day of week", lowest=0, highest=7),
)
LONGEST = {month: 29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31 for month in range(1, 13)}
"""The most days that each month can have."""


def parse(text: str) -> Cron:
    """Parse five fields, UTC: `0 3 * * 1` is Mondays at 3:00; 0 and 7 are both Sunday.

    Raise `ValueError` that names the field for what is not five-field cron, for days that none of its months has, and
    for a text that restricts both the day of the month and the day of the week: cron means a day that is either,
    which not every cloud can say.
    """
    parts = text.split()
    if len(parts) != len(FIELDS):
        raise ValueError(
            f'five fields are needed, found {len(parts)}: as in "0 3 * * 1" (minute, hour, day of month, month,'
            " day of week: Mondays at 3:00 UTC)"
        )
    minutes, hours, days, months, weekdays = (
        _none_if_all(field, field.values(part)) for field, part in zip(FIELDS, parts, strict=True)
    )
    sundays_once = None if weekdays is None else frozenset(value % 7 for value in weekdays)
    if sundays_once is not None and len(sundays_once) == 7:
        sundays_once = None
    if days is not None and sundays_once is not None:
        raise ValueError(
            "day of month and day of week are both restricted; one of them is accepted, and * for the other"
        )
    if days is not None and min(days) > max(LONGEST[month] for month in months or LONGEST):
        raise ValueError(f"day of month: {render(days)} is in no month of {render(months)}: it would never be due")
    return Cron(minutes=minutes, hours=hours, days=days, months=months, weekdays=sundays_once)


def times_of_day(due: Cron) -> list[int]:
    """Return when a schedule is due on a day on which it is, in minutes of the day, rising."""
    minutes, hours = due.minutes or range(60), due.hours or range(24)
    return sorted(hour * 60 + minute for hour in hours for minute in minutes)


def shortest_gap(due: Cron) -> int:
    """Return the fewest minutes between two times at which a schedule is due."""
    times = times_of_day(due)
    within = [later - earlier for earlier, later in pairwise(times)]
    days = [(later - earlier) * DAY_MINUTES + times[0] - times[-1] for earlier, later in pairwise(_days(due))]
    return min(within + days)


def _days(due: Cron) -> Iterator[int]:
    """Yield the days on which a schedule is due, counted from one on, over as long as it takes until all repeats."""
    first = datetime.date(2000, 1, 1).toordinal()
    for ordinal in range(first, first + CYCLE_DAYS):
        day = datetime.date.fromordinal(ordinal)
        if (
            (due.months is None or day.month in due.months)
            and (due.days is None or day.day in due.days)
            and (due.weekdays is None or day.isoweekday() % 7 in due.weekdays)
        ):
            yield ordinal


def render(values: Iterable[int] | None) -> str:
    """Render one field: `*` for None, else numbers, with each run of three or more as a range."""
    if values is None:
        return "*"
    ordered = sorted(values)
    breaks = [0, *(at + 1 for at, (one, next_) in enumerate(pairwise(ordered)) if next_ != one + 1), len(ordered)]
    runs = [ordered[start:end] for start, end in pairwise(breaks)]
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in runs)


def _none_if_all(field: _Field, values: frozenset[int]) -> frozenset[int] | None:
    """Return the values of a field, or None if they are all that it can have."""
    return None if len(values) == field.highest - field.lowest + 1 else values
