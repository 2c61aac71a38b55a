"""The rounds of a search that narrows: the share of the rows that each one trains on, and these rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from functions.core.dataset.dataset import Dataset, strata_of
from functions.core.registry.plan import WHOLE
from models import halving

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from models.contract import Search

LEAST_ROWS = 500
"""Of a round: fewer do not tell good experiments from bad ones."""
LEAST_OF_A_CLASS = 5
"""In each fold of a round, and of what a fold of a split by time is trained on; of numbers, of its rows."""


def shares_of(search: Search, dataset: Dataset) -> Sequence[float]:
    """Return the share of the rows outside the holdout that each round of a halving trains on; the last is 1.

    A round is left out for which a table has too few rows; those that weigh nothing do not count.
    """
    if len(search.experiments()) <= halving.FINALISTS:
        return WHOLE
    rows = np.count_nonzero(~dataset.holdout & dataset.counts)
    fewest = min([*_of_a_class(dataset, search.folds), *_trained_of_a_class(dataset)], default=None)
    least = max(LEAST_ROWS / rows, 0.0 if fewest is None else LEAST_OF_A_CLASS / fewest)
    return tuple(share for share in halving.ROUNDS if share == 1 or share >= least)


def _of_a_class(dataset: Dataset, folds: int) -> list[int]:
    """Return how many rows of each class a fold has; nothing where numbers are predicted."""
    if dataset.y.dtype.kind == "f":
        return []
    return np.unique(_cells(dataset, folds)[~dataset.holdout & dataset.counts], return_counts=True)[1].tolist()


def _trained_of_a_class(dataset: Dataset) -> Iterator[int]:
    """Yield how many rows of each class, or of all numbers, a fold of a split by time is trained on."""
    for fold in range(dataset.folds if dataset.time is not None else 0):
        truth = dataset.y[dataset.trained(fold) & dataset.counts]
        yield from [len(truth)] if truth.dtype.kind == "f" else np.unique(truth, return_counts=True)[1].tolist()


def sample(dataset: Dataset, share: float, *, folds: int, seed: int) -> Dataset:
    """Return a share of the rows outside the holdout, the same of each class in each fold, in their order.

    It is the same, too, of what each fold of a split by time is trained on, and of rows that weigh nothing. The rows of
    a small share are among those of a larger one.
    """
    visible = np.flatnonzero(~dataset.holdout)
    cells = (_cells(dataset, folds) * (folds + 1) + _trainings(dataset))[visible]
    drawn = np.random.default_rng(seed).random(len(visible))
    order = np.lexsort((drawn, cells))
    _, first, sizes = np.unique(cells[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - np.repeat(first, sizes)
    chosen = order[rank < np.repeat(np.ceil(share * sizes), sizes)]
    return dataset.of(np.sort(visible[chosen]))


def _cells(dataset: Dataset, folds: int) -> np.ndarray:
    """Return a number for each row, int64 [rows], by fold, class or part of its range, and whether it counts."""
    strata = strata_of(dataset.y, folds)
    cells = dataset.fold.astype(np.int64) * (int(strata.max(initial=0)) + 1) + strata
    return cells if dataset.weight is None else 2 * cells + dataset.counts


def _trainings(dataset: Dataset) -> np.ndarray:
    """Return in how many folds each row is trained on, int64 [rows]; of a split by time alone they differ in a fold."""
    if dataset.time is None:
        return np.zeros(len(dataset.y), dtype=np.int64)
    return np.sum([dataset.trained(fold) for fold in range(dataset.folds)], axis=0)
