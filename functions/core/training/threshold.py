"""The threshold of a model of two classes, chosen on the folds for what `decision` in `model.yaml` asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.training.class_answers import ClassAnswers, Threshold
from functions.core.training.metrics import ENOUGH, found
from functions.core.training.unusable import UnusableEstimator

if TYPE_CHECKING:
    from functions.core.training.task import Tested
    from models.decision import Decision

_ABOVE_ALL = 1.001
"""A threshold that no probability reaches."""


def chosen(decision: Decision, tested: Tested[ClassAnswers]) -> Threshold:
    """Return the threshold for all folds together.

    It lies midway between two probabilities that were answered. Raise `UnusableEstimator` where no threshold has the
    precision that is asked for.
    """
    y, scored = _together(tested)
    threshold, is_kept = _best(decision, y, scored)
    if not is_kept:
        known = precision_and_recall(y, scored >= threshold.value)["precision"]
        raise UnusableEstimator(
            f"no threshold has a precision of {decision.precision:g} on the folds; the greatest is {known:.4g}"
        )
    return threshold


def decided_by_others(decision: Decision, tested: Tested[ClassAnswers]) -> list[ClassAnswers]:
    """Return the answers of each fold, with labels by the threshold of the other folds.

    By that of all of them, a fold would be judged by a threshold which its own rows had chosen. Where none of the
    others' has the precision that is asked for, the most precise one decides.
    """
    decided = []
    for at, (_, answers) in enumerate(tested):
        others = [one for position, one in enumerate(tested) if position != at]
        decided.append(answers.decided(_best(decision, *_together(others))[0]))
    return decided


def told(decision: Decision, threshold: Threshold, tested: Tested[ClassAnswers]) -> dict[str, Any]:
    """Return what a record says of a threshold: what it was chosen for, and what it comes to on the folds."""
    y, scored = _together(tested)
    at = precision_and_recall(y, scored >= threshold.value)
    return {"for": decision.words, "threshold": threshold.value, "folds": at}


def precision_and_recall(y: np.ndarray, said: np.ndarray) -> dict[str, float]:
    """Return how often rows `said`, bool [rows], to be of the last class are, and how many of it are said to be."""
    true = int((said & (y == 1)).sum())
    return {"precision": true / max(int(said.sum()), 1), "recall": true / max(int((y == 1).sum()), 1)}


def _together(tested: Tested[ClassAnswers]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([y for y, _ in tested]), np.concatenate([said.probabilities[:, 1] for _, said in tested])


def _best(decision: Decision, y: np.ndarray, scored: np.ndarray) -> tuple[Threshold, bool]:
    """Return the best threshold, and whether it keeps to what is asked for; of equals the highest."""
    [true], [false] = found(y == 1, scored, np.ones((1, len(y))))
    scores = np.unique(scored)[::-1]
    below = np.append(scores[1:], 0.0)
    above_all = (scores[0] + 1) / 2 if scores[0] < 1 else _ABOVE_ALL
    values = np.append(above_all, (scores + below) / 2)
    true, false = np.append(0, true), np.append(0, false)
    worth, is_kept = _worth(decision, true, false)
    best = int(np.argmax(worth))
    return Threshold(positive=1, value=float(values[best])), bool(is_kept[best])


def _worth(decision: Decision, true: np.ndarray, false: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how good each threshold is, and whether it keeps to what is asked for, by the rows that reach it."""
    positives, negatives = max(true[-1], 1), max(false[-1], 1)
    precision, recall = true / np.maximum(true + false, 1), true / positives
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
