"""The lags of series: what of the past of each row a model gets, the same of a dataset and of rows to forecast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from models.series import Series


@dataclass(frozen=True, kw_only=True, eq=False)
class Order:
    """The rows of several series, each in the order of its times."""

    rows: np.ndarray
    """int64 [rows]: positions of the rows, series by series."""
    place: np.ndarray
    """int64 [rows], in that order: how many rows of its series are before each."""
    codes: np.ndarray
    """int64 [rows], in that order: the series of each."""
    times: np.ndarray
    """float64 [rows], in that order."""

    @classmethod
    def of(cls, codes: np.ndarray, times: np.ndarray) -> Self:
        """Put rows in order: `codes` int64 [rows] say of which series each is, `times` float64 [rows] when it was."""
        rows = np.lexsort((times, codes))
        ordered = codes[rows]
        _, starts, counts = np.unique(ordered, return_index=True, return_counts=True)
        place = np.arange(len(rows)) - np.repeat(starts, counts)
        return cls(rows=rows, place=place, codes=ordered, times=times[rows])

    def back(self, rows: int) -> np.ndarray:
        """Return where in this order the row is that is so many `rows` of its series earlier; -1 where none is."""
        return np.where(self.place >= rows, np.arange(len(self.rows)) - rows, -1)

    def twice(self) -> np.ndarray:
        """Return where in this order a row has the time of the row before it, of the same series."""
        return np.flatnonzero((np.diff(self.times) == 0) & (np.diff(self.codes) == 0)) + 1

    @property
    def places(self) -> np.ndarray:
        """How many rows of its series are before each, int64 [rows], in the rows' own order."""
        found = np.empty_like(self.place)
        found[self.rows] = self.place
        return found

    @property
    def steps(self) -> np.ndarray:
        """Between each row and the one before it in its series, float64 [rows less one of each series]."""
        return np.diff(self.times)[np.diff(self.codes) == 0]


def lags_of(y: np.ndarray, order: Order, series: Series) -> np.ndarray:
    """Return the features that the past of each row becomes, float32 [rows, lags and means], in the rows' own order.

    `y` float64 [rows] are the numbers, NaN where one is not known. A feature is NaN where its series has not so many
    earlier rows, or one of its numbers is not known. Each is computed of the numbers that it is named after, and of no
    others.
    """
    known = np.append(y[order.rows], np.nan)  # the last stands for what is not there
    columns = [known[order.back(lag)] for lag in series.lags]
    for rows in series.means:
        total = np.zeros(len(y))
        for back in range(series.ahead, series.ahead + rows):
            total += known[order.back(back)]
        columns.append(total / rows)
    found = np.empty((len(y), len(columns)), dtype=np.float32)
    found[order.rows] = np.column_stack(columns)
    return found
