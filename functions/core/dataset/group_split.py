"""Split rows so that all rows of a group are on the same side, stratified as far as the groups allow."""

from __future__ import annotations

import numpy as np

from functions.core.dataset.dataset import HOLDOUT, assign_folds

MOST_WEIGHED = 5000
"""Groups that are assigned one by one, the largest; the many small ones beyond are dealt out like rows."""


def tied(groups: np.ndarray, equal: np.ndarray) -> np.ndarray:
    """Return groups in which those that share an equal row are one: int64 [rows].

    `groups` and `equal` are whole numbers from 0 on, [rows]: rows with one number of either stay together.
    """
    order = np.lexsort((groups, equal))
    rows, of = equal[order], groups[order]
    shared = (rows[1:] == rows[:-1]) & (of[1:] != of[:-1])
    pairs = np.unique(np.stack([of[:-1][shared], of[1:][shared]], axis=1), axis=0)
    first = list(range(int(groups.max(initial=-1)) + 1))

    def first_of(group: int) -> int:
        while first[group] != group:
            first[group] = first[first[group]]
            group = first[group]
        return group

    for one, other in pairs.tolist():
        first[first_of(one)] = first_of(other)
    whole = np.array([first_of(group) for group in range(len(first))], dtype=np.int64)
    return np.unique(whole, return_inverse=True)[1].astype(np.int64)[groups]


def assign_groups(y: np.ndarray, groups: np.ndarray, *, holdout: float, folds: int, seed: int) -> np.ndarray:
    """Return the fold of each row, 0 to `folds` - 1, or `HOLDOUT`: int8 [rows].

    Each group, the largest first, goes where its rows are wanted most: so that each part comes near to its share of
    the rows, and of each class in `y`, int64 [rows]. `groups` are whole numbers from 0 on, [rows].
    """
    sizes = np.bincount(groups)
    shuffled = np.random.default_rng(seed).permutation(len(sizes))
    weighed = shuffled[np.argsort(-sizes[shuffled], kind="stable")][:MOST_WEIGHED]
    place = np.full(len(sizes), -1)
    place[weighed] = np.arange(len(weighed))
    among = place[groups] >= 0
    fold = np.empty(len(y), dtype=np.int8)
    fold[among] = _weighed(y[among], place[groups[among]], len(y), holdout, folds)[place[groups[among]]]
    if not among.all():
        fold[~among] = assign_folds(y[~among], groups[~among], holdout=holdout, folds=folds, seed=seed)
    return fold


def _weighed(y: np.ndarray, groups: np.ndarray, rows: int, holdout: float, folds: int) -> np.ndarray:
    """Return the fold of each group, whose numbers are in the order in which they are assigned: int8 [groups]."""
    width = int(y.max()) + 1
    counts = np.bincount(groups * width + y, minlength=(int(groups.max()) + 1) * width).reshape(-1, width)
    sizes = counts.sum(axis=1, keepdims=True)
    shares = np.hstack([counts, sizes]) / np.maximum(1, np.append(counts.sum(axis=0), len(y)))
    wanted = np.repeat([[holdout], *([[(1 - holdout) / folds]] * folds)], width + 1, axis=1)
    fold = np.empty(len(counts), dtype=np.int8)
    for group, share in enumerate(shares):
        # A group that is larger than the holdout by far would leave too little to learn from.
        first = int(sizes[group, 0] > 2 * holdout * rows)
        part = first + int((wanted[first:] @ share).argmax())
        wanted[part] -= share
        fold[group] = part - 1 if part else HOLDOUT
    return fold
