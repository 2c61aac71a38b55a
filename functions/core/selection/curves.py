"""The curves of a classification of two classes: what each threshold finds, and what it takes for it."""

from __future__ import annotations

import numpy as np

from functions.core.training.metrics import BINS, bins_of, found, sure

Points = list[tuple[float, float]]


def roc_points(y: np.ndarray, probabilities: np.ndarray) -> Points:
    """Return the ROC curve of the last class: (false, true) positive rates from (0, 0) to (1, 1)."""
    true, false = _counted(y, probabilities)
    return [(0.0, 0.0), *zip((false / max(false[-1], 1)).tolist(), (true / max(true[-1], 1)).tolist(), strict=True)]


def precision_recall_points(y: np.ndarray, probabilities: np.ndarray) -> Points:
    """Return the precision by the recall of the last class, in rising order of the recall."""
    true, false = _counted(y, probabilities)
    return list(zip((true / max(true[-1], 1)).tolist(), (true / (true + false)).tolist(), strict=True))


def at_labels(y: np.ndarray, labels: np.ndarray) -> tuple[float, float, float]:
    """Return the false positive rate, the recall and the precision at which labels decide about the last class."""
    said, positive = labels == 1, y == 1
    false, true = int((said & ~positive).sum()), int((said & positive).sum())
    return false / max(int((~positive).sum()), 1), true / max(int(positive.sum()), 1), true / max(false + true, 1)


def reliability(y: np.ndarray, probabilities: np.ndarray) -> list[tuple[float, float, int]]:
    """Return what was said on average in each bin of probabilities, which share of it is true, and how many rows."""
    said, true = sure(y, probabilities)
    bins = bins_of(said)
    rows = [bins == number for number in range(BINS)]
    return [(float(said[one].mean()), float(true[one].mean()), int(one.sum())) for one in rows if one.any()]


def _counted(y: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    last = probabilities.shape[1] - 1
    [true], [false] = found(y == last, probabilities[:, last], np.ones((1, len(y))))
    return true, false
