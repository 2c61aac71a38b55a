"""What is done otherwise with the answers of one task than with those of another."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np

from functions.core.training.answers import Answers
from functions.core.training.metrics import UndefinedMetric

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.onnx.tensor import Tensor
    from functions.core.training.answers import Differences
    from functions.core.training.class_answers import Threshold

Said = TypeVar("Said", bound=Answers)


@dataclass(frozen=True, kw_only=True)
class Decided:
    """How a model decides that does not decide as its estimator does."""

    threshold: Threshold
    record: Mapping[str, Any]
    """What records say of it."""


Tested = Sequence[tuple[np.ndarray, Said]]
"""Of each fold the truth, [rows], and what was answered by an estimator that had not seen it."""


class Drawn(Protocol):
    """Answers to rows that are drawn many times: `DrawnClasses`, `DrawnNumbers`."""

    def of(self, measured: str) -> np.ndarray:
        """Return one metric of each draw, float64 [draws]; NaN where a draw does not define it.

        Raises `UndefinedMetric` where all rows together do not.
        """
        ...


class Task(ABC, Generic[Said]):
    """A kind of answer that a model is trained to give: `Classification`, `Regression`, `Forecasting`."""

    metrics: Sequence[str]
    """Of which each is told, as far as it is defined for the rows: those without a setting, and what the contract
    asks for."""
    quantiles: Sequence[float] = ()
    """Of the ends of an interval: for each an estimator is fitted besides. Most models have none."""

    @abstractmethod
    def golden(self, answers: Said, decision: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the golden answers to a few rows, as JSON values."""

    @abstractmethod
    def card(self) -> dict[str, Any]:
        """Return what a version's card says of the target, and of the outputs of its file."""

    @abstractmethod
    def why_not_comparable(self, card: Mapping[str, Any]) -> str:
        """Return why a version of this task answers another question; "" where it does not."""

    @abstractmethod
    def read(self, data: bytes) -> Said:
        """Read what `Answers.to_bytes` wrote."""

    @abstractmethod
    def served(self, version: Any, outputs: Sequence[Mapping[str, Tensor]]) -> Said:
        """Return what callers get: of the outputs of several runs of an open version of this task."""

    def beside(self, answers: Said, x: np.ndarray) -> Said:
        """Return the answers to the rows `x`, float32 [rows, terms], with what these say that metrics compare with."""
        del x
        return answers

    def naive(self, y: np.ndarray, x: np.ndarray, weight: np.ndarray | None = None) -> dict[str, dict[str, float]]:
        """Return metrics of what nobody has to learn, by its name, for the truth `y` [rows] of the rows `x`."""
        del y, x, weight
        return {}

    @abstractmethod
    def compare(self, estimator: Said, served: Said, decision: Mapping[str, Any] | None) -> Differences:
        """Compare an estimator's answers with those of its file."""

    @abstractmethod
    def told(self, answers: Said, row: int) -> str:
        """Return the answer to one row in words."""

    def judged(self, tested: Tested[Said], weights: Sequence[np.ndarray] | None = None) -> list[Said]:
        """Return the answers of each fold as they are decided: by what the other folds choose, where anything is.

        `weights` are what the rows of each fold weigh, if a column says it.
        """
        del weights
        return [answers for _, answers in tested]

    def decided(self, tested: Tested[Said], weights: Sequence[np.ndarray] | None = None) -> Decided | None:
        """Return how the model decides; None where it does as its estimator.

        Raises `UnusableEstimator` where what the contract asks for cannot be had.
        """
        del tested, weights
        return None

    @abstractmethod
    def level(self, answers: Said) -> np.ndarray:
        """Return what of each answer goes up or down, float64 [rows]: a number, or the last class's probability."""

    @abstractmethod
    def scale(self, levels: np.ndarray) -> np.ndarray | float:
        """Return of what a difference between levels is a share, for levels of any shape."""

    @abstractmethod
    def drawn(self, y: np.ndarray, answers: Said, counts: np.ndarray, weight: np.ndarray | None = None) -> Drawn:
        """Return answers for the truth `y` [rows], of which each row counts so often in each draw: [draws, rows].

        `weight` [rows] is what each row weighs, more than 0.
        """

    def score(self, measure: str, y: np.ndarray, answers: Said, weight: np.ndarray | None = None) -> float:
        """Return one metric of answers for the truth `y` [rows], which weigh so much. Raises `UndefinedMetric`."""
        return _value(self._once(y, answers, weight), measure)

    def _once(self, y: np.ndarray, answers: Said, weight: np.ndarray | None) -> Drawn:
        if weight is not None:
            y, [answers], weight = counting(y, [answers], weight)
        return self.drawn(y, answers, np.ones((1, len(y))), weight)

    def scores(self, y: np.ndarray, answers: Said, weight: np.ndarray | None = None) -> dict[str, float]:
        """Return every metric that is defined for these rows, which weigh so much."""
        try:
            once = self._once(y, answers, weight)
        except UndefinedMetric:
            return {}
        values: dict[str, float] = {}
        for metric in self.metrics:
            try:
                values[metric] = _value(once, metric)
            except UndefinedMetric:
                continue
        return values


def _value(once: Drawn, measure: str) -> float:
    value = float(once.of(measure)[0])
    if math.isnan(value):
        raise UndefinedMetric(f"{measure} has no value for these rows")
    return value


def counting(
    y: np.ndarray, several: Sequence[Said], weight: np.ndarray
) -> tuple[np.ndarray, Sequence[Said], np.ndarray]:
    """Return truth, answers and weights [rows] without the rows that weigh nothing: figures are as if without them.

    Raise `UndefinedMetric` where none is left.
    """
    counts = weight > 0
    if counts.all():
        return y, several, weight
    if not counts.any():
        raise UndefinedMetric("each of these rows weighs nothing")
    return y[counts], [answers.of(counts) for answers in several], weight[counts]
