"""Split rows by their times: what is tested is later than what is trained on."""

from __future__ import annotations

import numpy as np

from functions.core.dataset.dataset import BEFORE, HOLDOUT


def assign_times(times: np.ndarray, *, holdout: float, folds: int) -> np.ndarray:
    """Return the fold of each row, 0 to `folds` - 1, `HOLDOUT` or `BEFORE`: int8 [rows].

    The latest rows are the holdout. Of the others, the earliest are `BEFORE` every fold, and the folds follow each
    other, each with about as many rows. Rows of equal times, float64 [rows], are in the same part; a part may be empty.
    """
    _, members, counts = np.unique(times, return_inverse=True, return_counts=True)
    middles = (np.cumsum(counts) - counts / 2) / len(times)
    ends = np.linspace(0, 1 - holdout, folds + 2)[1:]
    parts = np.array([BEFORE, *range(folds), HOLDOUT], dtype=np.int8)
    return parts[np.searchsorted(ends, middles, side="right")][members]
