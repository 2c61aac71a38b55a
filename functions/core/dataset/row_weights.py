"""What the rows of a dataset weigh, and whether each part of it has some that count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.dataset.effective_rows import effective
from functions.core.dataset.split import Unsplittable
from models.readable import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.dataset.dataset import Dataset
    from models.contract import Contract
    from models.weights import Weights

Document = dict[str, Any]


def weighed(dataset: Dataset, weights: Weights, contract: Contract) -> Document:
    """Return what the rows of a dataset weigh, as JSON values, and in a sentence, `said`.

    Raise `Unsplittable` where a part of it has no row that counts.
    """
    facts: Document = {}
    said = []
    if dataset.weight is not None:
        _check(dataset, contract)
        facts, told = _described(dataset, dataset.weight, weights)
        said += told
    if weights.classes is not None:
        facts["classes"] = weights.classes
        said.append(f"in fit also by class, {weights.words}" if said else f"by class in fit alone, {weights.words}")
    return {**facts, "said": "; ".join(said)}


def _described(dataset: Dataset, weight: np.ndarray, weights: Weights) -> tuple[Document, list[str]]:
    held, zero = weight[dataset.holdout], int((weight == 0).sum())
    facts = {
        "column": weights.column,
        "total": _rounded(weight.sum()),
        "effective_rows": _rounded(effective(weight)),
        "holdout": {"total": _rounded(held.sum()), "effective_rows": _rounded(effective(held))},
        "rows_of_weight_0": zero,
    }
    of_all, of_held = (readable(effective(some)) for some in (weight, held))
    said = [
        f"by {weights.column}: {len(weight):,} rows weigh {weight.sum():,.6g}, effective number {of_all}",
        f"of the {len(held):,} kept out {of_held}",
    ]
    return facts, [*said, *([f"rows of weight 0: {zero:,}"] if zero else [])]


def _rounded(number: float) -> float:
    """Return a number without the digits that 32 bits do not hold."""
    return float(f"{number:.7g}")


def _check(dataset: Dataset, contract: Contract) -> None:
    counts, name = dataset.counts, contract.weight_column
    if not counts.any():
        raise Unsplittable(f"{name} is 0 in every row, so no row counts")
    for part, rows in _parts(dataset):
        for of, those in _kinds(dataset, contract):
            if not (rows & those & counts).any():
                each = "one of every class that weighs" if contract.target.classes else "a row that weighs"
                many = np.count_nonzero(rows & those)
                raise Unsplittable(
                    f"{name} is 0 in each of {many:,} rows{of} {part}: {contract.search.folds} folds and the holdout"
                    f" each need {each} more than 0"
                )


def _parts(dataset: Dataset) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the parts of a dataset on which something is learnt or judged, and their rows, bool [rows]."""
    yield "in the holdout", dataset.holdout
    for fold in range(dataset.folds):
        yield f"in fold {fold + 1}", dataset.tested(fold)
    if dataset.time is not None:  # the earliest rows test nothing, and the first fold is tested by a model of them
        yield "that fold 1 is trained on", dataset.trained(0)


def _kinds(dataset: Dataset, contract: Contract) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the rows of each class, bool [rows], or all of them where a number is predicted."""
    if not contract.target.classes:
        yield "", np.ones(len(dataset.y), dtype=bool)
    for at, label in enumerate(contract.target.classes):
        yield f" of {label}", dataset.y == at
