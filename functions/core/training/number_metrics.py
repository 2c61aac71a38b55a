"""Metrics of predicted numbers, without scikit-learn (docs/decisions/0004); tests compare the two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from functions.core.training.metrics import UndefinedMetric
from models.task import METRICS

if TYPE_CHECKING:
    from functions.core.training.number_answers import NumberAnswers


def score(metric: str, y: np.ndarray, answers: NumberAnswers) -> float:
    """Return one metric of predicted numbers for the true ones `y` [rows]. Raises `UndefinedMetric`.

    `rmse` and `mae` are in the target's own unit, `r2` is 1 for the truth and 0 for always the mean, `mape` is a
    share: 0.1 is an error of ten percent.
    """
    if not len(y):
        raise UndefinedMetric("there are no rows")
    errors = answers.values - y
    match metric:
        case "rmse":
            return float(np.sqrt(np.mean(errors**2)))
        case "mae":
            return float(np.mean(np.abs(errors)))
        case "r2":
            spread = np.sum((y - y.mean()) ** 2)
            if not spread:
                raise UndefinedMetric("every row has the same number, and r2 is a share of how they differ")
            return float(1 - np.sum(errors**2) / spread)
        case "mape":
            if not y.all():
                raise UndefinedMetric("a row has the number 0, of which no error is a share")
            return float(np.mean(np.abs(errors / y)))
    raise ValueError(f"{metric} is no metric of numbers; accepted: {', '.join(METRICS['regression'])}")
