"""Five-field cron in the six fields of AWS.

Three things differ: a day of the week is counted from Sunday = 1, one of the two day fields
must be `?`, and a year is added. Values are spelt out, so that every step and range means
what it means in cron: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import pulumi


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


MINUTE = _Field(name="minute", least=0, most=59)
HOUR = _Field(name="hour", least=0, most=23)
DAY = _Field(name="day of month", least=1, most=31)
MONTH = _Field(name="month", least=1, most=12)
WEEKDAY = _Field(name="day of week", least=0, most=7)


def aws_cron(text: str) -> str:
    """`0 3 * * 1` (Mondays at 3:00) becomes `cron(0 3 ? * 2 *)`.

    Raises `pulumi.RunError` for what is not five-field cron, and for one that restricts both
    the day of the month and the day of the week: AWS cannot say "either".
    """
    try:
        return _converted(text)
    except ValueError as problem:
        raise pulumi.RunError(f'cron "{text}": {problem}') from None


def _converted(text: str) -> str:
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(f"{len(fields)} fields; accepted: minute hour day-of-month month day-of-week")
    minute, hour, day, month = (
        _spelt(field.values(part), field) for field, part in zip((MINUTE, HOUR, DAY, MONTH), fields[:4], strict=True)
    )
    weekdays = {value % 7 for value in WEEKDAY.values(fields[4])}
    if len(weekdays) == 7:
        return f"cron({minute} {hour} {day} {month} ? *)"
    if day != "*":
        raise ValueError(
            "day of month and day of week are both restricted; AWS accepts one of them, and * for the other"
        )
    return f"cron({minute} {hour} ? {month} {_listed(value + 1 for value in weekdays)} *)"


def _spelt(values: frozenset[int], field: _Field) -> str:
    return "*" if len(values) == field.most - field.least + 1 else _listed(values)


def _listed(values: Iterable[int]) -> str:
    """Numbers, and runs of at least three of them as ranges."""
    ordered = sorted(values)
    breaks = [0, *(at + 1 for at, (one, next_) in enumerate(pairwise(ordered)) if next_ != one + 1), len(ordered)]
    runs = [ordered[start:end] for start, end in pairwise(breaks)]
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in runs)
