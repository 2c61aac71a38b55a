"""What a table of series says of itself: which column is the time, which tells series apart, and which lags fit."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from statistics import median
from typing import TYPE_CHECKING, Final

from functions.core.dataset.number_style import PLAIN
from functions.core.dataset.steps import DAY, span
from functions.core.dataset.times import time_of
from models import light
from models.feature import UnacceptableValue
from models.moment import seconds_of
from sml.init.words import is_date, listed, shortened
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
TWICE: Final = 0.02
"""The share of rows that may be there twice in a column that else tells series apart."""
LEFT: Final = 0.75
"""The share of the rows with all lags that have all means, too: else the longest mean is left out."""
SHARE: Final = 4
"""Lags go back a quarter of a series at most, so that most of its rows have all."""


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
    complete: int
    """Rows that have a number, and all lags and means."""


def guess_series(sheet: Sheet, target: NumberTarget, guesses: Sequence[Guess]) -> SeriesGuess:
    """Return what the columns of a table say; `guesses` are what becomes of each. Raise `Mistake`."""
    time, moments = _time(sheet, target, guesses)
    group = _group(sheet, target, time, moments)
    names = [""] * sheet.rows if group is None else [str(value) for value in sheet.column(group).values]
    column = sheet.column(target.name)
    numbers = set(target.rows_of(column))
    series = defaultdict[str, list[tuple[float, bool, bool]]](list)
    for at, (name, moment, value) in enumerate(zip(names, moments, column.values, strict=True)):
        if moment is not None:
            series[name].append((moment, value is not None, at in numbers))
    lengths, steps, to_come, known = list[int](), list[float](), 0, list[list[bool]]()
    for rows in series.values():
        rows.sort()
        last = max((at for at, (_, there, _) in enumerate(rows) if there), default=-1)
        lengths.append(last + 1)
        known.append([number for _, _, number in rows])
        to_come += len(rows) - last - 1
        steps += [after[0] - before[0] for before, after in pairwise(rows)]
    step = median(steps) if steps else 0.0
    lags, means = _affordable(known, *_fitting(step, _shortest(lengths)))
    rows = f"{len(series):,} series of" if len(series) > 1 else "one series of"
    why = f"{rows} {_between(lengths)} rows, {span(step, dated=True)} apart as a rule"
    return SeriesGuess(
        time=time,
        group=group,
        count=len(series),
        lags=lags,
        means=means,
        why=why,
        to_come=to_come,
        complete=_complete(known, lags, means),
    )


def _shortest(lengths: Sequence[int]) -> int:
    """Return how long series are, but for the short ones that have a tenth of all rows at most."""
    ordered, tenth = sorted(lengths), sum(lengths) / 10
    return next((length for length, rows in zip(ordered, accumulate(ordered), strict=True) if rows > tenth), 0)


def _affordable(
    known: Sequence[Sequence[bool]], lags: tuple[int, ...], means: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return lags, and the means that most rows have: each missing number takes a mean from as many rows as it spans.

    `known` says of the rows of each series, in order, which have a number.
    """
    enough = LEFT * _complete(known, lags, ())
    while means and _complete(known, lags, means) < enough:
        means = means[:-1]
    return lags, means


def _complete(known: Sequence[Sequence[bool]], lags: tuple[int, ...], means: tuple[int, ...]) -> int:
    """Return how many rows have a number, and all lags and means."""
    spans = [(lag, 1) for lag in lags] + [(lags[0], rows) for rows in means]
    reach = max(lag + rows - 1 for lag, rows in spans)
    complete = 0
    for there in known:
        before = [0, *accumulate(there)]
        complete += sum(
            there[at] and all(before[at - lag + 1] - before[at - lag - rows + 1] == rows for lag, rows in spans)
            for at in range(reach, len(there))
        )
    return complete


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
    features, nearly = {one.name: one.feature for one in guesses}, ""
    for column in sheet.columns:
        if column.name == target.name or not column.counts:
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
        unread = [text for text, moment in moments.items() if moment is None]
        if not unread and not column.missing:
            return column.name, [moments[str(value)] for value in column.values]
        if not nearly and sum(map(is_date, column.counts)) > len(moments) / 2:
            nearly = f"; {column.name} has {_not_a_date(unread, column.missing)}"
    names = [column.name for column in sheet.columns]
    raise Mistake(
        f"{sheet.path}: --task forecasting takes a column of dates or times, one in every row, such as 2026-01-31;"
        f" the columns are {listed(names, 12)}{nearly}"
    )


def _not_a_date(unread: Sequence[str], missing: int) -> str:
    """Return what keeps a column of dates from being the time."""
    if not unread:
        return f"none in {missing:,} {'rows' if missing > 1 else 'row'}"
    return f"{shortened(unread[0])}, which is no date or is written otherwise than others: write all in one way"


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
            f" would have one row at a time{_nearly(sheet, target, time, moments)}"
        )
    return min(fitting, key=lambda column: len(column.counts)).name


def _nearly(sheet: Sheet, target: NumberTarget, time: str, moments: Sequence[float | None]) -> str:
    """Return which column tells series apart but for a few rows, with the first of these; "" where none does."""
    least, told = TWICE * len(moments), ""
    for column in sheet.columns:
        if column.name in (time, target.name) or column.missing or len(column.counts) > len(moments) / 2:
            continue
        pairs = Counter(zip(moments, column.values, strict=True))
        twice = [pair for pair, rows in pairs.items() if rows > 1]
        surplus = len(moments) - len(pairs)
        if twice and surplus <= least:
            at = next(at for at, pair in enumerate(zip(moments, column.values, strict=True)) if pair == twice[0])
            when, value = sheet.column(time).values[at], shortened(str(column.values[at]))
            rows = f"{pairs[twice[0]]} rows"
            least, told = surplus, f"; {column.name} does, but {value} has {rows} at {when}"
            told += f", and {len(twice) - 1:,} more such times" * (len(twice) > 1)
    return told


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
