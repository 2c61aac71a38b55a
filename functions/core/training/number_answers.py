"""A number for each of many rows."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from functions.core.training.answers import Answers, Differences


@dataclass(frozen=True, kw_only=True, eq=False)
class NumberAnswers(Answers):
    values: np.ndarray
    """float64 [rows]."""

    @property
    def rows(self) -> int:
        return len(self.values)

    @property
    def spread(self) -> float:
        """The standard deviation of the numbers: by it a difference is small or large, whatever they count."""
        return float(self.values.std()) if self.rows else 0.0

    def of(self, rows: np.ndarray | slice) -> NumberAnswers:
        return NumberAnswers(values=self.values[rows])

    def followed_by(self, more: NumberAnswers) -> NumberAnswers:
        return NumberAnswers(values=np.concatenate([self.values, more.values]))

    def to_bytes(self) -> bytes:
        file = io.BytesIO()
        np.savez(file, values=self.values)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> NumberAnswers:
        """Read what `to_bytes` wrote."""
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return cls(values=arrays["values"])


def differences(estimator: NumberAnswers, served: NumberAnswers) -> Differences:
    """Compare what a file answers with what its estimator does.

    A distance is a share of the number itself, or of the spread of all of them where that is more: 32 bits hold
    seven digits, whatever the numbers count.
    """
    scale = np.maximum(np.abs(estimator.values), estimator.spread)
    apart = np.abs(estimator.values - served.values)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(apart == 0, 0.0, apart / scale)
    # Where a number of a constant 0 differs, or one is NaN, no share says so.
    return Differences(
        distance=np.nan_to_num(distance, nan=np.inf, posinf=np.inf), other=np.zeros(len(apart), dtype=bool)
    )
