"""Whether one column alone tells the target: then it was likely written down after the fact."""

from __future__ import annotations

import numpy as np

FEWEST_ROWS = 40
MOST_ROWS = 20_000
"""The first rows suffice."""
MOST_GROUPS = 50
"""Different values up to which rows are compared with those of the same value, and beyond with those nearest."""
NEIGHBOURS = 5
"""Rows on each side that a row is compared with."""
NEARLY_ALL = 0.97
"""The share of the mistakes of the most frequent class that a column must mend to look like a leak."""


def told_alone(values: np.ndarray, truth: np.ndarray) -> float:
    """Return how well one column alone tells the target, 0 to 1: `classes_told` or, of numbers, `numbers_told`."""
    return classes_told(values, truth) if truth.dtype.kind == "i" else numbers_told(values, truth)


def numbers_told(values: np.ndarray, numbers: np.ndarray) -> float:
    """Return which share of the variance of numbers one column explains, 0 to 1.

    A row is told by the mean of its neighbours, in the order of the column's values. `values` is float [rows], NaN
    where one is missing; `numbers` is float [rows].
    """
    values, numbers = values[:MOST_ROWS], numbers[:MOST_ROWS]
    there = ~np.isnan(values)
    rows, variance = int(there.sum()), float(numbers.var())
    if rows < FEWEST_ROWS or not variance:
        return 0.0
    ordered = numbers[there][np.argsort(values[there], kind="stable")]
    before = np.concatenate([[0.0], ordered.cumsum()])
    at = np.arange(rows)
    first, last = np.maximum(at - NEIGHBOURS, 0), np.minimum(at + NEIGHBOURS + 1, rows)
    told = (before[last] - before[first] - ordered) / (last - first - 1)
    lost = ((ordered - told) ** 2).sum() + ((numbers[~there] - numbers.mean()) ** 2).sum()
    return max(0.0, 1 - float(lost) / (variance * len(numbers)))


def classes_told(values: np.ndarray, classes: np.ndarray) -> float:
    """Return which share of the rows that the most frequent class gets wrong one column gets right, 0 to 1.

    A row is told by the class that most rows of its value have, or its neighbours. `values` is float [rows],
    NaN where one is missing; `classes` is int64 [rows].
    """
    values, classes = values[:MOST_ROWS], classes[:MOST_ROWS]
    rows = len(values)
    if rows < FEWEST_ROWS:
        return 0.0
    missing = np.isnan(values)
    right = _right_by_group(np.zeros(int(missing.sum()), dtype=np.int64), classes[missing])
    there, classes_there = values[~missing], classes[~missing]
    different, groups = np.unique(there, return_inverse=True)
    if len(different) <= min(MOST_GROUPS, rows // 10):
        right += _right_by_group(groups, classes_there)
    else:
        right += _right_by_neighbours(classes_there[np.argsort(there, kind="stable")])
    most = int(np.bincount(classes).max())
    return max(0.0, (right - most) / (rows - most)) if rows > most else 0.0


def _right_by_group(groups: np.ndarray, classes: np.ndarray) -> int:
    """Return how many rows have the most frequent class of their group."""
    if not len(groups):
        return 0
    width = int(classes.max()) + 1
    table = np.bincount(groups * width + classes, minlength=(int(groups.max()) + 1) * width)
    return int(table.reshape(-1, width).max(axis=1).sum())


def _right_by_neighbours(classes: np.ndarray) -> int:
    """Return how many rows, in the order of their values, have the class that most rows beside them have."""
    rows, width = len(classes), int(classes.max()) + 1
    each = np.zeros((rows + 1, width), dtype=np.int32)
    each[np.arange(1, rows + 1), classes] = 1
    before = each.cumsum(axis=0)
    first, last = np.arange(rows) - NEIGHBOURS, np.arange(rows) + NEIGHBOURS + 1
    beside = before[np.minimum(last, rows)] - before[np.maximum(first, 0)] - each[1:]
    return int((beside.argmax(axis=1) == classes).sum())
