"""Metrics of labels and probabilities, without scikit-learn (docs/decisions/0004); tests compare the two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.task import METRICS

if TYPE_CHECKING:
    from functions.core.training.class_answers import ClassAnswers


class UndefinedMetric(ValueError):
    """A metric is not defined for these rows. The text says why."""


def score(metric: str, y: np.ndarray, answers: ClassAnswers) -> float:
    """Return one metric of answers for the true classes `y` [rows], as positions: of their labels for accuracy and f1.

    Of two classes the last is the positive one; of more, the metric is the macro average (one
    against the rest for roc_auc). Raises `UndefinedMetric`.
    """
    probabilities = answers.probabilities
    classes = probabilities.shape[1]
    if not len(y):
        raise UndefinedMetric("there are no rows")
    if metric == "roc_auc" and len(np.unique(y)) < classes:
        raise UndefinedMetric("not every class is among the rows, and roc_auc compares them")
    positive = range(1, classes) if classes == 2 else range(classes)
    match metric:
        case "roc_auc":
            return float(np.mean([_area(y == label, probabilities[:, label]) for label in positive]))
        case "accuracy":
            return float(np.mean(answers.labels == y))
        case "f1":
            table = np.asarray(confusion(y, answers))
            return float(np.mean([_f1(table, label) for label in positive]))
        case "log_loss":
            least = np.finfo(probabilities.dtype).eps
            true_class_probabilities = np.clip(probabilities[np.arange(len(y)), y], least, 1 - least)
            return float(-np.mean(np.log(true_class_probabilities)))
    raise ValueError(f"{metric} is no metric of classes; accepted: {', '.join(METRICS['classification'])}")


def confusion(y: np.ndarray, answers: ClassAnswers) -> list[list[int]]:
    """Return the confusion matrix: rows by true class, columns by predicted class."""
    classes = answers.probabilities.shape[1]
    pairs = np.bincount(y * classes + answers.labels, minlength=classes**2)
    return pairs.reshape(classes, classes).tolist()


def roc_points(y: np.ndarray, probabilities: np.ndarray) -> list[tuple[float, float]]:
    """Return the ROC curve of the last class: (false, true) positive rates from (0, 0) to (1, 1)."""
    positive, scored = y == probabilities.shape[1] - 1, probabilities[:, -1]
    order = np.argsort(-scored, kind="stable")
    last_of_tie = np.flatnonzero(np.append(np.diff(scored[order]) != 0, True))
    true = np.cumsum(positive[order])[last_of_tie] / max(positive.sum(), 1)
    false = np.cumsum(~positive[order])[last_of_tie] / max((~positive).sum(), 1)
    return [(0.0, 0.0), *zip(false.tolist(), true.tolist(), strict=True)]


def _area(positive: np.ndarray, scored: np.ndarray) -> float:
    """Return the area under the ROC curve: how often a positive row scores above a negative one; ties count half."""
    _, position, count = np.unique(scored, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[position]
    positives, negatives = positive.sum(), (~positive).sum()
    return (rank[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives)


def _f1(table: np.ndarray, label: int) -> float:
    denominator = table[label].sum() + table[:, label].sum()
    return 2 * table[label, label] / denominator if denominator else 0.0
