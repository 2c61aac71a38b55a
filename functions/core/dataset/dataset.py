"""Rows prepared for experiments: numbers, and who learns from which."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

HOLDOUT = -1
"""In the place of a fold: the row is seen by no experiment, the gate is judged on it."""


def group_equal(x: np.ndarray) -> np.ndarray:
    """A number for each row of `x`, equal where the rows are equal: int64 [rows]."""
    rows = np.ascontiguousarray(x).view(np.dtype((np.void, x.dtype.itemsize * x.shape[1]))).ravel()
    return np.unique(rows, return_inverse=True)[1].astype(np.int64)


def assign_folds(y: np.ndarray, groups: np.ndarray, *, holdout: float, folds: int, seed: int) -> np.ndarray:
    """The fold of each row, 0 to `folds` - 1, or `HOLDOUT`: int8 [rows].

    Drawn class by class, so that every part has its share of each. Rows of one group stay
    together, for a copy of a row among those that test it would make any model look good.
    """
    rng = np.random.default_rng(seed)
    ids, first, sizes = np.unique(groups, return_index=True, return_counts=True)
    fold_of_group = np.zeros(len(ids), dtype=np.int8)
    for label in np.unique(y):
        mine = rng.permutation(np.flatnonzero(y[first] == label))
        middles = np.cumsum(sizes[mine]) - sizes[mine] / 2
        border = holdout * sizes[mine].sum()
        kept_out = max(1, int(np.searchsorted(middles, border)))
        fold_of_group[mine[:kept_out]] = HOLDOUT
        rest = mine[kept_out:]
        if len(rest):
            weights = np.cumsum(sizes[rest]) - sizes[rest] / 2
            fold_of_group[rest] = np.minimum(weights / sizes[rest].sum() * folds, folds - 1)
    return fold_of_group[np.searchsorted(ids, groups)]


def too_few(y: np.ndarray, fold: np.ndarray, *, classes: tuple[str, ...], folds: int) -> list[str]:
    """Classes that do not appear in every fold and in the holdout."""
    return [
        name for label, name in enumerate(classes) if not set(fold[y == label].tolist()) >= {HOLDOUT, *range(folds)}
    ]


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Rows in the contract's order, and who learns from which."""

    x: np.ndarray
    """float32 [rows, features]; NaN where a feature keeps missing values."""
    y: np.ndarray
    """int64 [rows], positions in the target's classes."""
    fold: np.ndarray
    """int8 [rows]: the fold in which a row tests, or `HOLDOUT`."""

    @property
    def holdout(self) -> np.ndarray:
        """bool [rows]: seen by no experiment."""
        return self.fold == HOLDOUT

    def to_bytes(self) -> bytes:
        """A .npz with X, y, fold and holdout. Equal datasets give equal bytes."""
        file = io.BytesIO()
        np.savez(file, X=self.x, y=self.y, fold=self.fold, holdout=self.holdout)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Dataset:
        with np.load(io.BytesIO(data), allow_pickle=False) as found:
            return cls(x=found["X"], y=found["y"], fold=found["fold"])
