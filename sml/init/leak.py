"""Whether one column alone tells the target: then it was likely written down after the fact."""

from __future__ import annotations

import numpy as np

FEWEST_ROWS = 40
MOST_GROUPS = 50
ROWS_OF_A_GROUP = 10
NEARLY_ALL = 0.97
"""The share of the mistakes of the most frequent class that a column must mend to look like a leak."""


def told_alone(values: np.ndarray, classes: np.ndarray) -> float:
    """Return which share of the rows that the most frequent class gets wrong one column gets right, 0 to 1.

    `values` is float [rows], NaN where one is missing; `classes` is int64 [rows].
    """
    rows = len(values)
    if rows < FEWEST_ROWS:
        return 0.0
    groups = _groups(values, max(2, min(MOST_GROUPS, rows // ROWS_OF_A_GROUP)))
    width = int(classes.max()) + 1
    table = np.bincount(groups * width + classes, minlength=(int(groups.max()) + 1) * width).reshape(-1, width)
    right, most = int(table.max(axis=1).sum()), int(table.sum(axis=0).max())
    return (right - most) / (rows - most) if rows > most else 0.0


def _groups(values: np.ndarray, most: int) -> np.ndarray:
    """Return a group for each value: of equal values, or of neighbours where there are more than `most`."""
    missing = np.isnan(values)
    different, groups = np.unique(np.where(missing, 0, values), return_inverse=True)
    if len(different) > most:
        edges = np.unique(np.quantile(values[~missing], np.linspace(0, 1, most)[1:-1]))
        groups = np.searchsorted(edges, values)
    return np.where(missing, groups.max() + 1, groups).astype(np.int64)
