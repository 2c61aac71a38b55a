"""What rows weigh in `fit`, where their classes may weigh, too."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from functions.core.training.unusable import UnusableEstimator
from models.training_text import FIT_QUANTILE, WEIGHTED, WEIGHTED_QUANTILE, no_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from functions.core.dataset.dataset import Dataset
    from models.weights import Weights


@dataclass(frozen=True, kw_only=True)
class Weighting:
    """How the rows are weighed that `fit` gets."""

    classes: Sequence[float] | Literal["balanced"] | None
    """What a row of each class weighs, in their order."""

    @classmethod
    def of(cls, weights: Weights, classes: Sequence[str]) -> Self:
        """Return what a contract asks for, whose target has these classes."""
        by_class = weights.classes
        return cls(classes=[by_class[name] for name in classes] if isinstance(by_class, dict) else by_class)

    def of_rows(self, dataset: Dataset, rows: np.ndarray) -> np.ndarray:
        """Return what the rows weigh that `fit` gets, float64 [these rows]: 1 on average.

        `rows` is bool [rows]. Balanced classes weigh the same in all, as these rows have them.
        """
        given, y = dataset.weight_of(rows), dataset.y[rows]
        weight = np.ones(len(y)) if given is None else given
        if self.classes == "balanced":
            each = np.bincount(y, weights=weight)
            weight = weight / np.where(each > 0, each, 1.0)[y]
        elif self.classes is not None:
            weight = weight * np.asarray(self.classes)[y]
        return weight / (weight.mean() or 1.0)


def check_calls(fit: Callable[..., Any], fit_quantile: Callable[..., Any] | None) -> None:
    """Raise `UnusableEstimator` for one that takes no weights; `fit_quantile` is None where it is not called."""
    _check("fit", fit, WEIGHTED)
    if fit_quantile is not None:
        _check(FIT_QUANTILE, fit_quantile, WEIGHTED_QUANTILE)


def _check(name: str, function: Callable[..., Any], arguments: Sequence[str]) -> None:
    try:
        signature = inspect.signature(function)
    except ValueError:  # a function that is not written in Python does not tell
        return
    try:
        signature.bind(*arguments)
    except TypeError:
        raise UnusableEstimator(f"training.py: {no_weights(name, arguments)}") from None
