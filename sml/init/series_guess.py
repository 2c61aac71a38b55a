"""What a table of series says of itself: which column is the time, which tells series apart, and which lags fit."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final

from functions.core.dataset.number_style import PLAIN
from functions.core.dataset.steps import DAY, span
from functions.core.dataset.times import time_of
from models import light
from models.feature import UnacceptableValue
from models.moment import seconds_of
from sml.init.words import listed
from sml.mistake import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sml.init.guess import Guess
    from sml.init.number_target import NumberTarget
    from sml.init.table import Column, Sheet

HOUR: Final = 3_600.0
LAGS: Final[Mapping[float, tuple[tuple[int, ...], tuple[int, ...]]]] = {
    DAY: ((7, 14, 21, 28), (7, 28)),
    HOUR: ((24, 48, 168), (24,)),
}
"""By a step in seconds: lags on the same day of the week or hour of the day, and means of whole weeks and days."""
OTHERWISE: Final = ((1, 2, 3, 12), ())
SHARE: Final = 4
"""Lags go back a quarter of the shortest series at most, so that most of its rows have all."""


@dataclass(frozen=True, kw_only=True)
class SeriesGuess:
    """The series of a table."""

    time: str
    group: str | None
    count: int
    lags: tuple[int, ...]
    means: tuple[int, ...]
    why: str
    to_come: int
    """Rows without a number after the last that has one."""

    @property
    def reach(self) -> int:
        """How many rows of each series have no lags."""
        return max(self.lags[-1], self.lags[0] + max(self.means, default=1) - 1)


def guess_series(sheet: Sheet, target: NumberTarget, guesses: Sequence[Guess]) -> SeriesGuess:
    """Return what the columns of a table say; `guesses` are what becomes of each. Raise `Mistake`."""
    time, moments = _time(sheet, target, guesses)
    group = _group(sheet, target, time, moments)
    names = [""] * sheet.rows if group is None else [str(value) for value in sheet.column(group).values]
    known = sheet.column(target.name).values
    series = defaultdict[str, list[tuple[float, bool]]](list)
    for name, moment, value in zip(names, moments, known, strict=True):
        if moment is not None:
            series[name].append((moment, value is not None))
    lengths, steps, to_come = list[int](), list[float](), 0
    for rows in series.values():
        rows.sort()
        last = max((at for at, (_, there) in enumerate(rows) if there), default=-1)
        lengths.append(last + 1)
        to_come += len(rows) - last - 1
        steps += [after[0] - before[0] for before, after in pairwise(rows)]
    step = median(steps) if steps else 0.0
    shortest = sorted(lengths)[len(lengths) // 10]
    lags, means = _fitting(step, shortest)
    rows = f"{len(series):,} series of" if len(series) > 1 else "one series of"
    why = f"{rows} {_between(lengths)} rows, {span(step, dated=True)} apart as a rule"
    return SeriesGuess(time=time, group=group, count=len(series), lags=lags, means=means, why=why, to_come=to_come)


def _between(lengths: Sequence[int]) -> str:
    return " to ".join(f"{length:,}" for length in sorted({min(lengths), max(lengths)}))


def _fitting(step: float, shortest: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the lags and means that fit a step, in seconds, as far as series are long enough."""
    lags, means = LAGS.get(step, OTHERWISE)
    most = max(1, shortest // SHARE)
    lags = tuple(lag for lag in lags if lag <= most) or (1,)
    return lags, tuple(rows for rows in means if lags[0] + rows - 1 <= most)


def _time(sheet: Sheet, target: NumberTarget, guesses: Sequence[Guess]) -> tuple[str, list[float | None]]:
    """Return the first column in which each value is a date, and these in seconds. Raise `Mistake`."""
    features = {one.name: one.feature for one in guesses}
    for column in sheet.columns:
        if column.name == target.name or column.missing:
            continue
        feature = features.get(column.name)
        if feature is not None and feature.kind not in ("date", "datetime"):
            continue
        moments = dict[str, float | None]()
        for text in column.counts:
            try:
                found = time_of(text, PLAIN) if feature is None else (seconds_of(feature, text), True)
            except UnacceptableValue:
                found = ""
            moments[text] = found[0] if not isinstance(found, str) and found[1] else None
        if all(moment is not None for moment in moments.values()):
            return column.name, [moments[str(value)] for value in column.values]
    names = [column.name for column in sheet.columns]
    raise Mistake(
        f"{sheet.path}: --task forecasting takes a column of dates or times, one in every row, such as 2026-01-31;"
        f" the columns are {listed(names, 12)}"
    )


def _group(sheet: Sheet, target: NumberTarget, time: str, moments: Sequence[float | None]) -> str | None:
    """Return the column of the fewest values of which each has a row at a time; None where all rows are of one series.

    Raise `Mistake` where several rows have one time, and no column tells them apart.
    """
    if len(set(moments)) == len(moments):
        return None
    fitting = [
        column
        for column in sheet.columns
        if column.name not in (time, target.name)
        and not column.missing
        and len(set(zip(moments, column.values, strict=True))) == len(moments)
        and len(column.counts) <= len(moments) / 2
    ]
    if not fitting:
        raise Mistake(
            f"{sheet.path}: several rows have one {time}, and no column tells their series apart: each of its values"
            " would have one row at a time"
        )
    return min(fitting, key=lambda column: len(column.counts)).name


def known_ahead(found: Guess, sheet: Sheet, series: SeriesGuess, target: NumberTarget) -> Guess:
    """Return what a column becomes in a forecast: no feature unless the table shows that it is known ahead."""
    feature = found.feature
    if feature is None or found.name == series.group:
        return found
    if found.name == series.time:
        parts = tuple(part for part in feature.parts if part != "year")
        if feature.format and not parts:
            parts = feature.parts  # the feature says how the time is written
        if not parts:
            return replace(found, role="ignore", feature=None, why="the time, by which rows are in order")
        why = f"{found.why}; the time itself: its parts are known ahead"
        return replace(found, feature=light.replace(feature, parts=parts), why=why)
    column = sheet.column(found.name)
    if _is_of_series(column, sheet, series):
        return replace(found, why="; ".join(filter(None, (found.why, "the same in all rows of a series"))))
    if series.to_come and all(
        value is not None or known is not None
        for value, known in zip(column.values, sheet.column(target.name).values, strict=True)
    ):
        return replace(found, why="; ".join(filter(None, (found.why, "known for the rows to come"))))
    ahead = f"{series.lags[0]} row{'s' * (series.lags[0] > 1)} ahead"
    told = f"is it known {ahead}? Then it belongs under features, and rows to come have it"
    return replace(found, role="ignore", feature=None, why=told, warning=f"is ignored: {told}")


def _is_of_series(column: Column, sheet: Sheet, series: SeriesGuess) -> bool:
    """Return whether a column says one thing of each series."""
    if series.group is None:
        return False
    pairs = set(zip(sheet.column(series.group).values, column.values, strict=True))
    return len(pairs) == series.count
