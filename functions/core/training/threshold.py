"""The threshold of a model of two classes, chosen on the folds for what `decision` in `model.yaml` asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.training.class_answers import ClassAnswers, Threshold
from functions.core.training.metrics import ENOUGH, found, share
from functions.core.training.unusable import UnusableEstimator

if TYPE_CHECKING:
    from functions.core.training.task import Tested
    from models.decision import Decision

Weights = Sequence[np.ndarray] | None
"""What the rows of each fold weigh, float64 [rows]; None where all weigh the same."""
Scored = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Of some rows the truth, the probability of the last class, and the weight."""
_ABOVE_ALL = 1.001
"""A threshold that no probability reaches."""


def chosen(decision: Decision, tested: Tested[ClassAnswers], weights: Weights = None) -> Threshold:
    """Return the threshold for all folds together.

    It lies midway between two probabilities that were answered. Raise `UnusableEstimator` where no threshold has the
    precision that is asked for.
    """
    y, scored, weight = _joined(_scored(tested, weights))
    threshold, is_kept = _best(decision, y, scored, weight)
    if not is_kept:
        known = precision_and_recall(y, scored >= threshold.value, weight)["precision"]
        raise UnusableEstimator(
            f"no threshold has a precision of {decision.precision:g} on the folds; the greatest is {known:.4g}"
        )
    return threshold


def decided_by_others(decision: Decision, tested: Tested[ClassAnswers], weights: Weights = None) -> list[ClassAnswers]:
    """Return the answers of each fold, with labels by the threshold of the other folds.

    By that of all of them, a fold would be judged by a threshold which its own rows had chosen. Where none of the
    others' has the precision that is asked for, the most precise one decides.
    """
    decided, parts = [], _scored(tested, weights)
    for at, (_, answers) in enumerate(tested):
        others = [part for position, part in enumerate(parts) if position != at]
        decided.append(answers.decided(_best(decision, *_joined(others))[0]))
    return decided


def told(
    decision: Decision, threshold: Threshold, tested: Tested[ClassAnswers], weights: Weights = None
) -> dict[str, Any]:
    """Return what a record says of a threshold: what it was chosen for, and what it comes to on the folds."""
    y, scored, weight = _joined(_scored(tested, weights))
    at = precision_and_recall(y, scored >= threshold.value, weight)
    return {"for": decision.words, "threshold": threshold.value, "folds": at}


def precision_and_recall(y: np.ndarray, said: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    """Return how often rows `said`, bool [rows], to be of the last class are, and how many of it are said to be."""
    true, positives = weight[said & (y == 1)].sum(), weight[y == 1].sum()
    return {"precision": float(share(true, weight[said].sum())), "recall": float(share(true, positives))}


def _scored(tested: Tested[ClassAnswers], weights: Weights) -> list[Scored]:
    """Return the rows of each fold that weigh more than 0."""
    each = weights or [np.ones(len(y)) for y, _ in tested]
    return [
        (y[weight > 0], said.probabilities[weight > 0, 1], weight[weight > 0])
        for (y, said), weight in zip(tested, each, strict=True)
    ]


def _joined(parts: Sequence[Scored]) -> Scored:
    y, scored, weight = (np.concatenate(column) for column in zip(*parts, strict=True))
    return y, scored, weight


def _best(decision: Decision, y: np.ndarray, scored: np.ndarray, weight: np.ndarray) -> tuple[Threshold, bool]:
    """Return the best threshold, and whether it keeps to what is asked for; of equals the highest."""
    [true], [false] = found(y == 1, scored, weight[np.newaxis])
    scores = np.unique(scored)[::-1]
    below = np.append(scores[1:], 0.0)
    above_all = (scores[0] + 1) / 2 if scores[0] < 1 else _ABOVE_ALL
    values = np.append(above_all, (scores + below) / 2)
    true, false = np.append(0, true), np.append(0, false)
    worth, is_kept = _worth(decision, true, false)
    best = int(np.argmax(worth))
    return Threshold(positive=1, value=float(values[best])), bool(is_kept[best])


def _worth(decision: Decision, true: np.ndarray, false: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how good each threshold is, and whether it keeps to what is asked for, by what reaches it."""
    positives, negatives = true[-1] or 1, false[-1] or 1
    precision, recall = share(true, true + false), true / positives
    every = np.ones(len(true), dtype=bool)
    if decision.costs is not None:
        return -(decision.costs.false_positive * false + decision.costs.false_negative * (positives - true)), every
    if decision.precision is not None:
        kept = precision >= decision.precision - ENOUGH
        # Where none is precise enough, the most precise one.
        return (np.where(kept, recall, -1.0) if kept.any() else precision), kept
    if decision.recall is not None:
        kept = recall >= decision.recall - ENOUGH
        return np.where(kept, precision, -1.0), kept
    match decision.maximise:
        case "accuracy":
            return true - false, every
        case "balanced_accuracy":
            return recall - false / negatives, every
    return 2 * true / (true + false + positives), every
