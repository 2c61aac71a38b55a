"""The task of predicting a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.training import number_answers
from functions.core.training.number_answers import NumberAnswers
from functions.core.training.number_metrics import DrawnNumbers
from functions.core.training.signature import VALUE
from functions.core.training.task import Task
from models.task import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.onnx.tensor import Tensor
    from functions.core.training.answers import Differences
    from models.contract import Target


class Regression(Task[NumberAnswers]):
    def __init__(self, target: Target, asked: Sequence[str] = ()) -> None:
        """`asked` are the metrics that the contract names."""
        self.target = target
        self.metrics = tuple(dict.fromkeys([*plain("regression"), *asked]))

    def golden(self, answers: NumberAnswers, decision: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the numbers, and their spread: a difference is told as a share of it, or of the number."""
        return {"values": answers.values.tolist(), "spread": answers.spread}

    def card(self) -> dict[str, Any]:
        return {"target": {"name": self.target.name, "unit": self.target.unit}, "outputs": {"value": VALUE}}

    def why_not_comparable(self, card: Mapping[str, Any]) -> str:
        return "" if card["target"] == self.card()["target"] else "the champion predicts another number"

    def read(self, data: bytes) -> NumberAnswers:
        return NumberAnswers.from_bytes(data)

    def served(self, version: Any, outputs: Sequence[Mapping[str, Tensor]]) -> NumberAnswers:
        values = [np.asarray(version.values(some), dtype=np.float64) for some in outputs]
        return NumberAnswers(values=np.concatenate([np.zeros(0), *values]))

    def compare(
        self, estimator: NumberAnswers, served: NumberAnswers, decision: Mapping[str, Any] | None
    ) -> Differences:
        return number_answers.differences(estimator, served)

    def told(self, answers: NumberAnswers, row: int) -> str:
        return f"{answers.values[row]:.7g}"

    def level(self, answers: NumberAnswers) -> np.ndarray:
        return answers.values

    def scale(self, levels: np.ndarray) -> np.ndarray:
        return np.maximum(np.abs(levels), levels.std())

    def drawn(self, y: np.ndarray, answers: NumberAnswers, weights: np.ndarray) -> DrawnNumbers:
        return DrawnNumbers(y, answers, weights)
