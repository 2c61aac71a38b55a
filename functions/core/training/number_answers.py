"""A number for each of many rows."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from functions.core.training.answers import Answers, Differences

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True, eq=False)
class Ends:
    """Between what the truth is to lie: `low` never above the answer, `high` never below it."""

    low: np.ndarray
    """float64 [rows]."""
    high: np.ndarray
    """float64 [rows]."""

    def of(self, rows: np.ndarray | slice) -> Ends:
        return Ends(low=self.low[rows], high=self.high[rows])


@dataclass(frozen=True, kw_only=True, eq=False)
class NumberAnswers(Answers):
    values: np.ndarray
    """float64 [rows]."""
    ends: Ends | None = None
    """Of a model with an interval."""
    naive: np.ndarray | None = None
    """What a naive forecast says, float64 [rows]; None of a regression."""

    @property
    def rows(self) -> int:
        return len(self.values)

    @property
    def spread(self) -> float:
        """The standard deviation of the numbers: by it a difference is small or large, whatever they count."""
        return float(self.values.std()) if self.rows else 0.0

    def of(self, rows: np.ndarray | slice) -> NumberAnswers:
        return NumberAnswers(
            values=self.values[rows],
            ends=None if self.ends is None else self.ends.of(rows),
            naive=None if self.naive is None else self.naive[rows],
        )

    def followed_by(self, more: NumberAnswers) -> NumberAnswers:
        return joined([self, more])

    def to_bytes(self) -> bytes:
        file = io.BytesIO()
        if self.ends is None:
            np.savez(file, values=self.values)
        else:
            np.savez(file, values=self.values, low=self.ends.low, high=self.ends.high)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> NumberAnswers:
        """Read what `to_bytes` wrote."""
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            ends = Ends(low=arrays["low"], high=arrays["high"]) if "low" in arrays else None
            return cls(values=arrays["values"], ends=ends)


def joined(several: Sequence[NumberAnswers]) -> NumberAnswers:
    """Return several answers, one after the other, with ends and naive forecasts where each of them has."""
    ends = [one.ends for one in several if one.ends is not None]
    naive = [one.naive for one in several if one.naive is not None]
    return NumberAnswers(
        values=np.concatenate([np.zeros(0), *(one.values for one in several)]),
        ends=Ends(low=np.concatenate([one.low for one in ends]), high=np.concatenate([one.high for one in ends]))
        if ends and len(ends) == len(several)
        else None,
        naive=np.concatenate(naive) if naive and len(naive) == len(several) else None,
    )


def differences(estimator: NumberAnswers, served: NumberAnswers) -> Differences:
    """Compare what a file answers with what its estimator does, of each row the farthest of number and ends.

    A distance is a share of the number itself, or of the spread of all of them where that is more: 32 bits hold
    seven digits, whatever the numbers count. An end is judged by the same spread.
    """
    pairs = [(estimator.values, served.values)]
    if estimator.ends is not None:
        ours, theirs = estimator.ends, served.ends
        nothing = np.full(served.rows, np.nan)
        pairs.append((ours.low, nothing if theirs is None else theirs.low))
        pairs.append((ours.high, nothing if theirs is None else theirs.high))
    farthest = np.max([_distance(one, other, estimator.spread) for one, other in pairs], axis=0)
    return Differences(distance=farthest, other=np.zeros(len(farthest), dtype=bool))


def _distance(numbers: np.ndarray, others: np.ndarray, spread: float) -> np.ndarray:
    apart = np.abs(numbers - others)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(apart == 0, 0.0, apart / np.maximum(np.abs(numbers), spread))
    # Where a number of a constant 0 differs, or one is NaN, no share says so.
    return np.nan_to_num(distance, nan=np.inf, posinf=np.inf)
