"""The curves of a classification of two classes: what each threshold finds, and what it takes for it."""

from __future__ import annotations

import numpy as np

from functions.core.training.metrics import BINS, bins_of, found, share, sure

Points = list[tuple[float, float]]


def roc_points(y: np.ndarray, probabilities: np.ndarray, weight: np.ndarray) -> Points:
    """Return the ROC curve of the last class: (false, true) positive rates from (0, 0) to (1, 1).

    Here and below `weight` float64 [rows] is what each row weighs, more than 0.
    """
    true, false = _counted(y, probabilities, weight)
    return [(0.0, 0.0), *zip(share(false, false[-1]).tolist(), share(true, true[-1]).tolist(), strict=True)]


def precision_recall_points(y: np.ndarray, probabilities: np.ndarray, weight: np.ndarray) -> Points:
    """Return the precision by the recall of the last class, in rising order of the recall."""
    true, false = _counted(y, probabilities, weight)
    return list(zip(share(true, true[-1]).tolist(), (true / (true + false)).tolist(), strict=True))


def at_labels(y: np.ndarray, labels: np.ndarray, weight: np.ndarray) -> tuple[float, float, float]:
    """Return the false positive rate, the recall and the precision at which labels decide about the last class."""
    said, positive = labels == 1, y == 1
    false, true = weight[said & ~positive].sum(), weight[said & positive].sum()
    rates = share(false, weight[~positive].sum()), share(true, weight[positive].sum()), share(true, false + true)
    return float(rates[0]), float(rates[1]), float(rates[2])


def reliability(y: np.ndarray, probabilities: np.ndarray, weight: np.ndarray) -> list[tuple[float, float, float]]:
    """Return what was said on average in each bin of probabilities, which share of it is true, and what its rows weigh.

    A bin without rows is left out.
    """
    said, true = sure(y, probabilities)
    bins = bins_of(said)
    rows = [one for one in (bins == number for number in range(BINS)) if one.any()]
    means = [[float(np.average(values[one], weights=weight[one])) for values in (said, true)] for one in rows]
    return [(told, is_true, float(weight[one].sum())) for (told, is_true), one in zip(means, rows, strict=True)]


def _counted(y: np.ndarray, probabilities: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    last = probabilities.shape[1] - 1
    [true], [false] = found(y == last, probabilities[:, last], weight[np.newaxis])
    return true, false
