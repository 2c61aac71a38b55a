"""A dataset for experiments: rows of numbers, and their split into folds and holdout."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

HOLDOUT = -1
"""The fold of rows that no experiment sees: the gate is judged on them."""


def group_equal(x: np.ndarray) -> np.ndarray:
    """Return a group number for each row of `x`; equal rows have equal numbers: int64 [rows]."""
    rows = np.ascontiguousarray(x).view(np.dtype((np.void, x.dtype.itemsize * x.shape[1]))).ravel()
    return np.unique(rows, return_inverse=True)[1].astype(np.int64)


def assign_folds(y: np.ndarray, groups: np.ndarray, *, holdout: float, folds: int, seed: int) -> np.ndarray:
    """Return the fold of each row, 0 to `folds` - 1, or `HOLDOUT`: int8 [rows].

    The split is stratified: each fold, and the holdout, has its share of each class. Rows of
    one group stay together: a model would look better than it is if copies of its training
    rows were among those that test it.
    """
    rng = np.random.default_rng(seed)
    ids, first, sizes = np.unique(groups, return_index=True, return_counts=True)
    fold_of_group = np.zeros(len(ids), dtype=np.int8)
    for label in np.flatnonzero(np.bincount(y)):
        groups_of_class = rng.permutation(np.flatnonzero(y[first] == label))
        midpoints = np.cumsum(sizes[groups_of_class]) - sizes[groups_of_class] / 2
        boundary = holdout * sizes[groups_of_class].sum()
        held_out = max(1, int(np.searchsorted(midpoints, boundary)))
        fold_of_group[groups_of_class[:held_out]] = HOLDOUT
        remaining = groups_of_class[held_out:]
        if len(remaining):
            rest_midpoints = np.cumsum(sizes[remaining]) - sizes[remaining] / 2
            fold_of_group[remaining] = np.minimum(rest_midpoints / sizes[remaining].sum() * folds, folds - 1)
    return fold_of_group[np.searchsorted(ids, groups)]


def too_few(y: np.ndarray, fold: np.ndarray, *, classes: tuple[str, ...], folds: int) -> list[str]:
    """Return the classes that are not in every fold and in the holdout."""
    return [
        name for label, name in enumerate(classes) if not set(fold[y == label].tolist()) >= {HOLDOUT, *range(folds)}
    ]


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Rows of features in the contract's order, with their classes and folds."""

    x: np.ndarray
    """float32 [rows, features]; NaN where a feature keeps missing values."""
    y: np.ndarray
    """int64 [rows], positions in the target's classes."""
    fold: np.ndarray
    """int8 [rows]: the fold in which a row is a test row, or `HOLDOUT`."""

    @property
    def holdout(self) -> np.ndarray:
        """bool [rows]: seen by no experiment."""
        return self.fold == HOLDOUT

    def to_bytes(self) -> bytes:
        """Return a .npz file with X, y, fold and holdout. Equal datasets give equal bytes."""
        file = io.BytesIO()
        np.savez(file, X=self.x, y=self.y, fold=self.fold, holdout=self.holdout)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Dataset:
        """Read what `to_bytes` wrote."""
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return cls(x=arrays["X"], y=arrays["y"], fold=arrays["fold"])
