"""A dataset for experiments: rows of numbers, and the folds and the holdout that they are in."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

HOLDOUT = -1
"""The fold of rows that no experiment sees: the gate is judged on them."""
BEFORE = -2
"""The fold of the earliest rows of a split by time, which test no experiment: what is tested is trained on before."""
MOST_PARTS = 10
"""Of a range of numbers: each fold has its share of the small ones and of the large ones."""
ROWS_OF_A_PART = 3
"""The least, of each fold and of the holdout."""


def group_equal(x: np.ndarray) -> np.ndarray:
    """Return a group number for each row of `x`; equal rows have equal numbers: int64 [rows]."""
    rows = np.ascontiguousarray(x).view(np.dtype((np.void, x.dtype.itemsize * x.shape[1]))).ravel()
    return np.unique(rows, return_inverse=True)[1].astype(np.int64)


def strata_of(y: np.ndarray, folds: int) -> np.ndarray:
    """Return what the split of the rows is stratified by, int64 [rows]: their classes, or the parts of a range.

    Each part has about as many rows as another, and enough of them for every fold and the holdout.
    """
    if y.dtype.kind != "f":
        return y
    parts = max(1, min(MOST_PARTS, len(y) // (ROWS_OF_A_PART * (folds + 1))))
    edges = np.quantile(y, np.linspace(0, 1, parts + 1)[1:-1], method="lower")
    return np.searchsorted(edges, y, side="right").astype(np.int64)


def assign_folds(y: np.ndarray, groups: np.ndarray, *, holdout: float, folds: int, seed: int) -> np.ndarray:
    """Return the fold of each row, 0 to `folds` - 1, or `HOLDOUT`: int8 [rows].

    The split is stratified: each fold, and the holdout, has its share of each class in `y`. Rows of
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
    """Rows of features in the contract's order, with what is to be predicted, and their folds."""

    x: np.ndarray
    """float32 [rows, terms]; NaN where a feature keeps missing values."""
    y: np.ndarray
    """int64 [rows], positions in the target's classes; or float64 [rows], numbers."""
    fold: np.ndarray
    """int8 [rows]: the fold in which a row is a test row, or `HOLDOUT`, or `BEFORE`."""
    time: np.ndarray | None = None
    """float64 [rows], where they are split by time."""
    gap: float = 0.0
    """How much earlier than the rows that test it the rows are at least that a model is trained on, by their times."""
    series: np.ndarray | None = None
    """int64 [rows]: the series that each row is of, where rows are of series."""
    learnt: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The categories that the contract leaves to the dataset, by feature, in the order of their positions."""
    weight: np.ndarray | None = None
    """float64 [rows], where a column says what each weighs."""

    @property
    def holdout(self) -> np.ndarray:
        """bool [rows]: seen by no experiment."""
        return self.fold == HOLDOUT

    def of(self, rows: np.ndarray) -> Dataset:
        """Return the rows at these positions."""
        every = {"x": self.x, "y": self.y, "fold": self.fold}
        some = {"time": self.time, "series": self.series, "weight": self.weight}
        there = {name: values for name, values in {**every, **some}.items() if values is not None}
        return replace(self, **{name: values[rows] for name, values in there.items()})

    def weight_of(self, rows: np.ndarray) -> np.ndarray | None:
        """Return what some of the rows weigh, by a mask bool [rows] or their positions; None where all are alike."""
        return None if self.weight is None else self.weight[rows]

    @property
    def counts(self) -> np.ndarray:
        """bool [rows]: those that weigh more than 0."""
        return np.ones(len(self.y), dtype=bool) if self.weight is None else self.weight > 0

    @property
    def folds(self) -> int:
        return int(self.fold.max()) + 1

    def tested(self, fold: int) -> np.ndarray:
        """Return which rows test the model of a fold: bool [rows]."""
        return self.fold == fold

    @property
    def weights_of_folds(self) -> list[np.ndarray] | None:
        """What the rows weigh that test the model of each fold; None where all weigh the same."""
        return None if self.weight is None else [self.weight[self.tested(fold)] for fold in range(self.folds)]

    def trained(self, fold: int) -> np.ndarray:
        """Return which rows the model of a fold is trained on, bool [rows]: none of the holdout, none that test it.

        Of a split by time, those that are earlier than its test rows by the gap.
        """
        if self.time is None:
            return (self.fold != fold) & (self.fold != HOLDOUT)
        return self._earlier(self.tested(fold))

    @property
    def fitted(self) -> np.ndarray:
        """bool [rows]: what the model is trained on that is judged on the holdout, and released."""
        return ~self.holdout if self.time is None else self._earlier(self.holdout)

    def _earlier(self, tests: np.ndarray) -> np.ndarray:
        assert self.time is not None  # noqa: S101 - only these rows have an order
        begin = self.time[tests].min()
        return (self.time < begin) & (begin - self.time >= self.gap)

    def to_bytes(self) -> bytes:
        """Return a .npz file with X, y, fold and holdout, and what else there is of the rows.

        Equal datasets give equal bytes.
        """
        file = io.BytesIO()
        arrays: dict[str, Any] = {"X": self.x, "y": self.y, "fold": self.fold, "holdout": self.holdout}
        if self.time is not None:
            arrays |= {"time": self.time, "gap": np.float64(self.gap)}
        if self.series is not None:
            arrays["series"] = self.series
        if self.learnt:
            arrays["learnt"] = np.array(json.dumps(dict(self.learnt)))
        if self.weight is not None:
            arrays["weight"] = self.weight
        np.savez(file, **arrays)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Dataset:
        """Read what `to_bytes` wrote."""
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            timed: dict[str, Any] = {"time": arrays["time"], "gap": float(arrays["gap"])} if "time" in arrays else {}
            timed |= {"series": arrays["series"]} if "series" in arrays else {}
            learnt = json.loads(str(arrays["learnt"])) if "learnt" in arrays else {}
            categories = {name: tuple(texts) for name, texts in learnt.items()}
            weight = arrays.get("weight")
            return cls(x=arrays["X"], y=arrays["y"], fold=arrays["fold"], learnt=categories, weight=weight, **timed)
