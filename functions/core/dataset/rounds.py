"""The rounds of a search that narrows: the share of the rows that each one trains on, and these rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from functions.core.dataset.dataset import Dataset, strata_of
from functions.core.registry.plan import WHOLE
from models import halving

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.contract import Search

LEAST_ROWS = 500
"""Of a round: fewer do not tell good experiments from bad ones."""
LEAST_OF_A_CLASS = 5
"""In each fold of a round."""


def shares_of(search: Search, dataset: Dataset) -> Sequence[float]:
    """Return the share of the rows outside the holdout that each round of a halving trains on; the last is 1.

    A round is left out for which a table has too few rows.
    """
    if len(search.experiments()) <= halving.FINALISTS:
        return WHOLE
    rows = np.count_nonzero(~dataset.holdout)
    fewest = _fewest_of_a_class(dataset, search.folds)
    least = max(LEAST_ROWS / rows, 0.0 if fewest is None else LEAST_OF_A_CLASS / fewest)
    return tuple(share for share in halving.ROUNDS if share == 1 or share >= least)


def _fewest_of_a_class(dataset: Dataset, folds: int) -> int | None:
    """Return how many rows of some class a fold has at least; None where numbers are predicted."""
    if dataset.y.dtype.kind == "f":
        return None
    return int(np.unique(_cells(dataset, folds)[~dataset.holdout], return_counts=True)[1].min())


def sample(dataset: Dataset, share: float, *, folds: int, seed: int) -> Dataset:
    """Return a share of the rows outside the holdout, the same of each class in each fold, in their order.

    The rows of a small share are among those of a larger one.
    """
    visible = np.flatnonzero(~dataset.holdout)
    cells = _cells(dataset, folds)[visible]
    drawn = np.random.default_rng(seed).random(len(visible))
    order = np.lexsort((drawn, cells))
    _, first, sizes = np.unique(cells[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - np.repeat(first, sizes)
    chosen = order[rank < np.repeat(np.ceil(share * sizes), sizes)]
    return dataset.of(np.sort(visible[chosen]))


def _cells(dataset: Dataset, folds: int) -> np.ndarray:
    """Return a number for each row, int64 [rows], by its fold and its class, or the part of its range."""
    strata = strata_of(dataset.y, folds)
    return dataset.fold.astype(np.int64) * (int(strata.max(initial=0)) + 1) + strata
