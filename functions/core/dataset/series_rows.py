"""The rows of series: which of a table's rows have a past, what it becomes, and which are passed over and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.dataset.lags import Order, lags_of
from functions.core.dataset.row_keys import FUTURE, CollectedKeys
from functions.core.dataset.steps import Steps
from functions.core.dataset.times import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.dataset.encoded_rows import EncodedRows, Refused
    from functions.core.dataset.rejected_rows import RejectedRows
    from functions.core.dataset.row_keys import RowKeys
    from models.feature import Feature
    from models.series import Series

_MOST_NAMES = 100
"""Series that a record names."""
_WITHIN = 0.9
"""The share of rows whose least lag is not earlier than the gap: a break of a year in one series is no gap of all."""


class Unforecastable(ValueError):
    """Rows that are acceptable each by itself are no series. The text says why, and what is accepted."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Lagged:
    """The accepted rows that have a past."""

    x: np.ndarray
    """float32 [rows, terms], the lags last."""
    y: np.ndarray
    keys: CollectedKeys
    gap: float
    """How much earlier than a row its least lag is, but for the rows after a break."""
    aside: int
    """Rows that are neither accepted nor rejected."""
    facts: dict[str, Any]
    """What records say of the series."""


@dataclass(frozen=True, kw_only=True)
class ToCome:
    """A row whose number is to be forecast."""

    index: int
    """How many rows of the table are before it."""
    location: int
    """Its line or row number in the file."""
    group: str | None
    time: str
    ahead: int
    """How many rows it is after the last of its series with a number."""
    lags: tuple[float, ...]
    """What the past becomes, in the order of the lags and means; NaN where that is not known yet."""


def lacks_number(refused: Refused, target: Feature) -> bool:
    """Return whether a row has no number, and so may be yet to come."""
    return (target.name, f"is missing; accepted: {target.accepts}") in refused.faults


class SeriesRows:
    """Collects the rows of a table, those that are refused too: such a row leaves a gap in its series."""

    def __init__(self, target: Feature, series: Series) -> None:
        """`target` is the last column that is read."""
        self._target, self._series = target, series
        self._keys = CollectedKeys()
        self._numbers: list[np.ndarray] = []
        self._kept: list[np.ndarray] = []
        self._waiting: list[tuple[int, int, Refused]] = []
        """Rows without a number, by their positions among those that are collected, and among those of the table."""
        self._count = 0
        self.displaced: Refused | None = None
        """The first row of which nobody knows where in which series it is."""

    def add(self, some: EncodedRows, keys: RowKeys, kept: np.ndarray) -> set[int]:
        """Add rows, of which some are `kept`: bool [rows]. Return the positions of those that may be yet to come.

        Whether they are is known when all rows are: `settle` rejects the others.
        """
        placed, known = np.ones(len(kept), dtype=bool), kept.copy()
        waiting: dict[int, Refused] = {}
        for at, refused in some.refused.items():
            columns = {column for column, reason in refused.faults if (column, reason) != (self._series.time, FUTURE)}
            placed[at] = columns.isdisjoint(("", *self._series.keys))
            known[at] = self._target.name not in columns and (self._series.time, FUTURE) not in refused.faults
            if not placed[at]:
                self.displaced = self.displaced or refused
            elif lacks_number(refused, self._target):
                waiting[at] = refused
        self._keys.add(keys, placed)
        self._numbers.append(np.where(known, some.numbers[:, -1].astype(np.float64), np.nan)[placed])
        self._kept.append(kept[placed])
        positions = self._count + np.cumsum(placed) - 1
        self._waiting += [(int(positions[at]), some.first + at, refused) for at, refused in waiting.items()]
        self._count += int(placed.sum())
        return set(waiting)

    def settle(self, x: np.ndarray, rejected_rows: RejectedRows) -> Lagged:
        """Return the accepted rows that have a past, of `x` float32 [accepted rows, terms but the lags].

        Raise `Unforecastable`.
        """
        numbers, codes, times = self._collected()
        kept = np.concatenate([np.empty(0, dtype=bool), *self._kept])
        order = Order.of(codes, times)
        self._require_one_a_time(order)
        to_come = self._reject_gaps(numbers, codes, times, rejected_rows)
        lags = lags_of(numbers, order, self._series)
        has_past = kept & ~np.isnan(lags).any(axis=1)
        place = order.places
        lengths = np.bincount(codes[kept]) if kept.any() else np.zeros(0, dtype=np.int64)
        if kept.any() and not has_past.any():
            raise Unforecastable(self._too_short(int(lengths.max())))
        before = np.empty(len(numbers))
        before[order.rows] = order.times - np.append(order.times, np.nan)[order.back(self._series.ahead)]
        gap = float(np.quantile(before[has_past], _WITHIN, method="higher")) if has_past.any() else 0.0
        facts = self._facts(order, kept, has_past, place, codes)
        facts["rows_to_come"] = to_come
        rows = np.column_stack([x[has_past[kept]], lags[has_past]])
        aside = int(np.count_nonzero(kept & ~has_past)) + to_come
        facts["said"] = self._said(facts, lengths)
        return Lagged(
            x=np.ascontiguousarray(rows, dtype=np.float32),
            y=numbers[has_past],
            keys=self._keys.of(has_past),
            gap=gap,
            aside=aside,
            facts=facts,
        )

    def to_come(self) -> list[ToCome]:
        """Return the rows whose number is to be forecast, in the order of the table. Raise `Unforecastable`."""
        numbers, codes, times = self._collected()
        order = Order.of(codes, times)
        self._require_one_a_time(order)
        lags, place = lags_of(numbers, order, self._series), order.places
        known = ~np.isnan(numbers)
        last = np.full(int(codes.max(initial=-1)) + 1, -1)
        np.maximum.at(last, codes[known], place[known])
        return [
            ToCome(
                index=index,
                location=refused.location,
                group=None if self._series.group is None else self._keys.names[codes[at]],
                time=shown(float(times[at]), dated=self._keys.dated),
                ahead=int(place[at] - last[codes[at]]),
                lags=tuple(lags[at].tolist()),
            )
            for at, index, refused in self._waiting
            if place[at] > last[codes[at]]
        ]

    def _collected(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the number of each row, NaN where none is known, its series and its time."""
        numbers = np.concatenate([np.empty(0), *self._numbers])
        times, groups = self._keys.times, self._keys.groups
        codes = np.zeros(len(numbers), dtype=np.int64) if groups is None else groups
        return numbers, codes, np.empty(0) if times is None else times

    def _named(self, code: int) -> str:
        """Return a series as sentences call it."""
        group = self._series.group
        return "the series" if group is None else f"{group} {self._keys.names[code][:60]}"

    def _require_one_a_time(self, order: Order) -> None:
        twice = order.twice()
        if not len(twice):
            return
        first = int(twice[0])
        when = shown(float(order.times[first]), dated=self._keys.dated)
        more = f", and {len(twice) - 1:,} more rows have the time of another" if len(twice) > 1 else ""
        told = f"{self._named(int(order.codes[first]))} has two rows at {self._series.time} {when}{more}"
        advice = "one row of a series at a time"
        if self._series.group is None:
            advice += ", with series.group the column that tells several series apart"
        raise Unforecastable(f"{told}; accepted: {advice}")

    def _reject_gaps(
        self, numbers: np.ndarray, codes: np.ndarray, times: np.ndarray, rejected_rows: RejectedRows
    ) -> int:
        """Return how many rows without a number are yet to come; reject those that later ones have a number after."""
        last = np.full(int(codes.max(initial=-1)) + 1, -np.inf)
        known = ~np.isnan(numbers)
        np.maximum.at(last, codes[known], times[known])
        to_come = 0
        for at, _, refused in self._waiting:
            if times[at] > last[codes[at]]:
                to_come += 1
            else:
                rejected_rows.add(refused.location, list(refused.faults), tuple(refused.cells))
        return to_come

    def _too_short(self, longest: int) -> str:
        reach = self._series.reach
        if longest > reach:
            return f"no row has all of its lags: too many of the numbers before are missing in {self._target.name}"
        whose = "the series" if self._series.group is None else "the longest series"
        accepted = f"accepted: {reach + 1:,} rows of a series or more, or smaller lags"
        told = f"{whose} has {longest:,} rows, and the lags go {reach:,} rows back, so no row has all of them"
        return f"{told}; {accepted}"

    def _facts(
        self, order: Order, kept: np.ndarray, has_past: np.ndarray, place: np.ndarray, codes: np.ndarray
    ) -> dict[str, Any]:
        """Return what is known of the series, as JSON values."""
        reach = self._series.reach
        first = kept & (place < reach)
        steps = Steps.of(order, dated=self._keys.dated)
        there = np.unique(codes[kept])
        return {
            "count": len(there),
            "dated": self._keys.dated,
            "ahead": self._series.ahead,
            "names": [name[:60] for name in self._keys.names[:_MOST_NAMES]],
            "too_short": len(there) - len(np.unique(codes[has_past])),
            "without_lags": int(np.count_nonzero(first)),
            "after_gaps": int(np.count_nonzero(kept & ~has_past & ~first)),
            "step": None if steps is None else steps.usual,
            "other_steps": 0 if steps is None else steps.others,
            "steps": "" if steps is None else steps.said,
        }

    def _said(self, facts: dict[str, Any], lengths: Sequence[int] | np.ndarray) -> str:
        count, reach, first = facts["count"], self._series.reach, facts["without_lags"]
        several = self._series.group is not None and count > 1
        told = [f"{count:,} series" if several else "1 series", facts["steps"]]
        told.append(f"a forecast is {_rows(self._series.ahead)} ahead")
        if first and int(np.min(lengths, initial=reach)) >= reach and first == reach * count:
            each = f" of each of {count:,} series" if several else ""
            told.append(f"the first {_rows(reach)}{each} {_be(reach)} left out, having no lags")
        elif first:
            told.append(f"{_rows(first)} at the beginning {_be(first)} left out, having no lags")
        if short := facts["too_short"]:
            told.append(f"{short:,} series {_be(short)} too short to have a row with all lags")
        if gaps := facts["after_gaps"]:
            told.append(f"{_rows(gaps)} {_be(gaps)} left out, a lag falling on a row without a number")
        if to_come := facts["rows_to_come"]:
            told.append(f"{_rows(to_come)} to come {_be(to_come)} passed over, having no number yet")
        return "; ".join(filter(None, told))


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _be(count: int) -> str:
    return "is" if count == 1 else "are"
