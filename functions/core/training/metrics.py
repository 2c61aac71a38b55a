"""How good probabilities are. Held to scikit-learn's results by tests; docs/decisions/0004 says why it is not here."""

from __future__ import annotations

import numpy as np

METRICS = ("roc_auc", "accuracy", "f1", "log_loss")


class UndefinedMetric(ValueError):
    """These rows do not allow the metric. The text says why."""


def score(metric: str, y: np.ndarray, probabilities: np.ndarray) -> float:
    """One metric of `probabilities` [rows, classes] against the positions `y` [rows].

    Of two classes the last is the positive one; of more, each counts alike (macro average,
    one against the rest for roc_auc). Raises `UndefinedMetric`.
    """
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
            return float(np.mean(probabilities.argmax(axis=1) == y))
        case "f1":
            table = np.asarray(confusion(y, probabilities))
            return float(np.mean([_f1(table, label) for label in positive]))
        case "log_loss":
            least = np.finfo(probabilities.dtype).eps
            of_truth = np.clip(probabilities[np.arange(len(y)), y], least, 1 - least)
            return float(-np.mean(np.log(of_truth)))
    raise ValueError(f"{metric} is no metric; accepted: {', '.join(METRICS)}")


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
    classes = probabilities.shape[1]
    pairs = np.bincount(y * classes + probabilities.argmax(axis=1), minlength=classes**2)
    return pairs.reshape(classes, classes).tolist()


def roc_points(y: np.ndarray, probabilities: np.ndarray) -> list[tuple[float, float]]:
    """False and true positive rates of the last class against the rest, from (0, 0) to (1, 1)."""
    positive, scored = y == probabilities.shape[1] - 1, probabilities[:, -1]
    order = np.argsort(-scored, kind="stable")
    last_of_tie = np.flatnonzero(np.append(np.diff(scored[order]) != 0, True))
    true = np.cumsum(positive[order])[last_of_tie] / max(positive.sum(), 1)
    false = np.cumsum(~positive[order])[last_of_tie] / max((~positive).sum(), 1)
    return [(0.0, 0.0), *zip(false.tolist(), true.tolist(), strict=True)]


def _area(positive: np.ndarray, scored: np.ndarray) -> float:
    """Area under the ROC curve: how often a positive row is scored above a negative one, a tie counting half."""
    _, place, count = np.unique(scored, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    positives, negatives = positive.sum(), (~positive).sum()
    return (rank[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives)


def _f1(table: np.ndarray, label: int) -> float:
    told = table[label].sum() + table[:, label].sum()
    return 2 * table[label, label] / told if told else 0.0
