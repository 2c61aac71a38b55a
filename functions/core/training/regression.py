"""The task of predicting a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.training import number_answers
from functions.core.training.number_answers import Ends, NumberAnswers
from functions.core.training.number_metrics import DrawnNumbers
from functions.core.training.signature import HIGH, LOW, VALUE
from functions.core.training.task import Task
from models.task import INTERVAL_METRICS, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.onnx.tensor import Tensor
    from functions.core.training.answers import Differences
    from models.contract import Target
    from models.interval import Interval


class Regression(Task[NumberAnswers]):
    def __init__(self, target: Target, asked: Sequence[str] = (), interval: Interval | None = None) -> None:
        """`asked` are the metrics that the contract names, `interval` is what its answers have beside a number."""
        self.target = target
        self.interval = interval
        self.quantiles = () if interval is None else interval.quantiles
        of_ends = () if interval is None else INTERVAL_METRICS
        self.metrics = tuple(dict.fromkeys([*plain("regression"), *of_ends, *asked]))

    def golden(self, answers: NumberAnswers, decision: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the numbers, their ends, and their spread: a difference is told as a share of it, or of the number."""
        ends = {} if answers.ends is None else {"low": answers.ends.low.tolist(), "high": answers.ends.high.tolist()}
        return {"values": answers.values.tolist(), **ends, "spread": answers.spread}

    def card(self) -> dict[str, Any]:
        target = {"name": self.target.name, "unit": self.target.unit}
        if self.interval is None:
            return {"target": target, "outputs": {"value": VALUE}}
        outputs = {"value": VALUE, "low": LOW, "high": HIGH}
        return {"target": target, "outputs": outputs, "interval": {"coverage": self.interval.coverage}}

    def why_not_comparable(self, card: Mapping[str, Any]) -> str:
        return "" if card["target"] == self.card()["target"] else "the champion predicts another number"

    def read(self, data: bytes) -> NumberAnswers:
        return NumberAnswers.from_bytes(data)

    def served(self, version: Any, outputs: Sequence[Mapping[str, Tensor]]) -> NumberAnswers:
        return number_answers.joined([_read(version, some) for some in outputs])

    def compare(
        self, estimator: NumberAnswers, served: NumberAnswers, decision: Mapping[str, Any] | None
    ) -> Differences:
        return number_answers.differences(estimator, served)

    def told(self, answers: NumberAnswers, row: int) -> str:
        ends = "" if answers.ends is None else f" ({answers.ends.low[row]:.7g} to {answers.ends.high[row]:.7g})"
        return f"{answers.values[row]:.7g}{ends}"

    def level(self, answers: NumberAnswers) -> np.ndarray:
        return answers.values

    def scale(self, levels: np.ndarray) -> np.ndarray:
        return np.maximum(np.abs(levels), levels.std())

    def drawn(
        self, y: np.ndarray, answers: NumberAnswers, counts: np.ndarray, weight: np.ndarray | None = None
    ) -> DrawnNumbers:
        quantiles = None if self.interval is None else self.interval.quantiles
        return DrawnNumbers(y, answers, counts, weight, quantiles=quantiles)


def _read(version: Any, outputs: Mapping[str, Tensor]) -> NumberAnswers:
    """Return what an open version answered, with the ends that it has."""
    values = np.asarray(version.values(outputs), dtype=np.float64)
    if (ends := version.ends(outputs)) is None:
        return NumberAnswers(values=values)
    low, high = (np.asarray(end, dtype=np.float64) for end in ends)
    return NumberAnswers(values=values, ends=Ends(low=low, high=high))
