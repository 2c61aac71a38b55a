"""Metrics of predicted numbers, without scikit-learn (docs/decisions/0004); tests compare the two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from functions.core.training.metrics import ENOUGH, UndefinedMetric, mean
from models.task import INTERVAL_METRICS, METRICS, parts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.training.number_answers import Ends, NumberAnswers


class DrawnNumbers:
    """Answers to rows of numbers, and how often each row counts in each draw."""

    def __init__(
        self,
        y: np.ndarray,
        answers: NumberAnswers,
        counts: np.ndarray,
        weight: np.ndarray | None = None,
        *,
        quantiles: tuple[float, float] | None = None,
    ) -> None:
        """`y` float64 [rows] are the true numbers; `counts` are float64 [draws, rows], `quantiles` those of the ends.

        `weight` float64 [rows] is what each row weighs, more than 0; all the same where it is None.
        """
        self._y, self._weight = y, weight
        self._weights = counts if weight is None else counts * weight
        self._errors = answers.values - y
        self._ends, self._quantiles = answers.ends, quantiles
        self._naive = answers.naive

    def of(self, measured: str) -> np.ndarray:
        """Return one metric of each draw, float64 [draws]; NaN where a draw lacks what the metric needs.

        `rmse`, `mae`, `median_absolute_error` and `pinball` are in the target's own unit, `r2` is 1 for the truth and 0
        for always the mean, `mape` is a share: 0.1 is an error of ten percent; `skill` is by which share `mae` is less
        than that of the naive forecast. `coverage` is the share of truths that are no farther out than an end,
        `interval_width` the mean from end to end, `low_pinball` and `high_pinball` how far each end is off its
        quantile, both in the unit. Raise `UndefinedMetric` where all rows together do not define it.
        """
        if not len(self._y):
            raise UndefinedMetric("there are no rows")
        metric, at = parts(measured)
        if metric in INTERVAL_METRICS:
            if self._ends is None or self._quantiles is None:
                raise UndefinedMetric("the answers have no interval")
            return mean(_of_ends(metric, self._y, self._ends, self._quantiles), self._weights)
        if metric == "r2":
            middle = self._y.mean() if self._weight is None else np.average(self._y, weights=self._weight)
            return _explained(self._y, middle, self._errors, self._weights)
        if metric == "median_absolute_error":
            return _median(np.abs(self._errors), self._weights)
        if metric == "skill":
            return _skill(self._y, self._errors, self._naive, self._weights)
        of_rows = _OF_ROWS.get(metric)
        if of_rows is None:
            raise ValueError(f"{measured} is no metric of numbers; accepted: {', '.join(METRICS['forecasting'])}")
        if metric == "mape" and not self._y.all():
            raise UndefinedMetric("a row has the number 0, of which no error is a share")
        means = mean(of_rows(self._y, self._errors, at), self._weights)
        return np.sqrt(means) if metric == "rmse" else means


_OF_ROWS: Mapping[str, Callable[[np.ndarray, np.ndarray, float], np.ndarray]] = {
    "rmse": lambda y, errors, at: errors**2,
    "mae": lambda y, errors, at: np.abs(errors),
    "mape": lambda y, errors, at: np.abs(errors / y),
    "pinball": lambda y, errors, at: _pinball(errors, at),
}
"""The means of a number that each row has."""


def _pinball(errors: np.ndarray, at: float) -> np.ndarray:
    return np.maximum((1 - at) * errors, -at * errors)


def _of_ends(metric: str, y: np.ndarray, ends: Ends, quantiles: tuple[float, float]) -> np.ndarray:
    """Return what a metric of an interval is the mean of, float64 [rows]."""
    match metric:
        case "coverage":
            return ((ends.low <= y) & (y <= ends.high)).astype(np.float64)
        case "interval_width":
            return ends.high - ends.low
        case "low_pinball":
            return _pinball(ends.low - y, quantiles[0])
        case _:
            return _pinball(ends.high - y, quantiles[1])


def _explained(y: np.ndarray, middle: float, errors: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return `r2`. Numbers are counted from the `middle` of all, near which that of each draw is."""
    if np.all(y == y[0]):
        raise UndefinedMetric("every row has the same number, and r2 is a share of how they differ")
    apart = y - middle
    spread = mean(apart**2, weights) - mean(apart, weights) ** 2
    return 1 - mean(errors**2, weights) / np.where(spread > 0, spread, np.nan)


def _skill(y: np.ndarray, errors: np.ndarray, naive: np.ndarray | None, weights: np.ndarray) -> np.ndarray:
    """Return `skill`: 1 for the truth, 0 for what is no better than the naive forecast, and below for what is worse."""
    if naive is None:
        raise UndefinedMetric("there is no naive forecast to compare with")
    if (naive == y).all():
        raise UndefinedMetric("the naive forecast is right in every row, and skill is a share of how far it is off")
    by_naive = mean(np.abs(naive - y), weights)
    return 1 - mean(np.abs(errors), weights) / np.where(by_naive > 0, by_naive, np.nan)


def _median(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the median of the rows' values, of each draw: half of the rows that count are no greater.

    Of rows that weigh, half of their weight: between two rows it is their mean where it is neither's alone.
    """
    order = np.argsort(values, kind="stable")
    counted = np.cumsum(weights[:, order], axis=1)
    half = counted[:, -1:] / 2
    lower, upper = (counted < half * (1 - ENOUGH)).sum(axis=1), (counted <= half * (1 + ENOUGH)).sum(axis=1)
    return (values[order][lower] + values[order][upper]) / 2
