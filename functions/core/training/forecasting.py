"""The task of predicting the next numbers of a series, which are numbers as those of a regression.

Beside each answer is what a naive forecast says: that the number is the one of the least lag.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.training.number_answers import NumberAnswers
from functions.core.training.regression import Regression
from models.light import replace
from models.task import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.contract import Contract


class Forecasting(Regression):
    def __init__(self, contract: Contract) -> None:
        super().__init__(contract.target, contract.measures, contract.interval)
        assert contract.series is not None  # noqa: S101 - a contract of this task has one
        self.series = contract.series
        self.metrics = tuple(dict.fromkeys([*plain("forecasting"), *self.metrics]))
        names = [term.name for term in contract.terms]
        self._lags = {lag.name: names.index(lag.name) for lag in contract.lags[: len(self.series.lags)]}
        """The columns of the lags, by their names, the least first."""

    def card(self) -> dict[str, Any]:
        return {**super().card(), "series": self.series.model_dump(mode="json")}

    def why_not_comparable(self, card: Mapping[str, Any]) -> str:
        if card["target"] != self.card()["target"]:
            return "the champion forecasts another number"
        return (
            "" if card["series"] == self.card()["series"] else "the champion forecasts another series, or by other lags"
        )

    def beside(self, answers: NumberAnswers, x: np.ndarray) -> NumberAnswers:
        return replace(answers, naive=self._naive(x, next(iter(self._lags))))

    def naive(self, y: np.ndarray, x: np.ndarray, weight: np.ndarray | None = None) -> dict[str, dict[str, float]]:
        """Return how far the naive forecasts by the least lag and by the greatest are off, as metrics by a lag's name.

        `y` [rows] is the truth of the rows `x` float32 [rows, terms], `weight` [rows] what they weigh, if they do.
        """
        names = list(self._lags)
        return {name: self._errors(y, self._naive(x, name), weight) for name in dict.fromkeys((names[0], names[-1]))}

    def _errors(self, y: np.ndarray, values: np.ndarray, weight: np.ndarray | None) -> dict[str, float]:
        scores = self.scores(y, NumberAnswers(values=values), weight)
        return {metric: scores[metric] for metric in ("mae", "rmse") if metric in scores}

    def _naive(self, x: np.ndarray, lag: str) -> np.ndarray:
        return x[:, self._lags[lag]].astype(np.float64)
