"""How good probabilities are, by scikit-learn's own metrics."""

from __future__ import annotations

import numpy as np
from sklearn import metrics

METRICS = ("roc_auc", "accuracy", "f1", "log_loss")


class UndefinedMetric(ValueError):
    """The rows at hand do not allow the metric. The text says why."""


def score(metric: str, y: np.ndarray, probabilities: np.ndarray) -> float:
    """One metric of `probabilities` [rows, classes] against the positions `y` [rows].

    Of two classes the last is the positive one; of more, each counts alike (macro average,
    one against the rest for roc_auc). Raises `UndefinedMetric`.
    """
    classes = list(range(probabilities.shape[1]))
    if not len(y):
        raise UndefinedMetric("there are no rows")
    if metric == "roc_auc" and len(np.unique(y)) < len(classes):
        raise UndefinedMetric("not every class is among the rows, and roc_auc compares them")
    binary = len(classes) == 2
    predicted = probabilities.argmax(axis=1)
    match metric:
        case "roc_auc" if binary:
            found = metrics.roc_auc_score(y, probabilities[:, 1])
        case "roc_auc":
            found = metrics.roc_auc_score(y, probabilities, multi_class="ovr", average="macro", labels=classes)
        case "accuracy":
            found = metrics.accuracy_score(y, predicted)
        case "f1":
            average = "binary" if binary else "macro"
            found = metrics.f1_score(y, predicted, average=average, labels=classes, zero_division=0.0)
        case "log_loss":
            found = metrics.log_loss(y, probabilities, labels=classes)
        case _:
            raise ValueError(f"{metric} is no metric; accepted: {', '.join(METRICS)}")
    return float(found)


def scores(y: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Every metric that these rows allow."""
    found: dict[str, float] = {}
    for metric in METRICS:
        try:
            found[metric] = score(metric, y, probabilities)
        except UndefinedMetric:
            continue
    return found


def confusion(y: np.ndarray, probabilities: np.ndarray) -> list[list[int]]:
    """Rows by true class, columns by the likeliest."""
    classes = list(range(probabilities.shape[1]))
    return metrics.confusion_matrix(y, probabilities.argmax(axis=1), labels=classes).tolist()


def roc_points(y: np.ndarray, probabilities: np.ndarray) -> list[tuple[float, float]]:
    """False and true positive rates of the last class against the rest, from (0, 0) to (1, 1)."""
    positive = y == probabilities.shape[1] - 1
    false_rate, true_rate, _ = metrics.roc_curve(positive, probabilities[:, -1])
    return list(zip(false_rate.tolist(), true_rate.tolist(), strict=True))
