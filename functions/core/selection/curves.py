"""The curves of a classification of two classes: what each threshold finds, and what it takes for it."""

from __future__ import annotations

import numpy as np

from functions.core.training.metrics import found

Points = list[tuple[float, float]]


def roc_points(y: np.ndarray, probabilities: np.ndarray) -> Points:
    """Return the ROC curve of the last class: (false, true) positive rates from (0, 0) to (1, 1)."""
    true, false = _counted(y, probabilities)
    return [(0.0, 0.0), *zip((false / max(false[-1], 1)).tolist(), (true / max(true[-1], 1)).tolist(), strict=True)]


def _counted(y: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    last = probabilities.shape[1] - 1
    [true], [false] = found(y == last, probabilities[:, last], np.ones((1, len(y))))
    return true, false
