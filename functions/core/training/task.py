"""What is done otherwise with the answers of a classification than with those of a regression."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from functions.core.training.answers import Answers
from functions.core.training.metrics import UndefinedMetric

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from functions.core.onnx.tensor import Tensor
    from functions.core.training.answers import Differences

Said = TypeVar("Said", bound=Answers)


class Task(ABC, Generic[Said]):
    """A kind of answer that a model is trained to give: `Classification`, `Regression`."""

    metrics: Sequence[str]
    """Of which each is told, as far as it is defined for the rows."""

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

    @abstractmethod
    def compare(self, estimator: Said, served: Said, decision: Mapping[str, Any] | None) -> Differences:
        """Compare an estimator's answers with those of its file."""

    @abstractmethod
    def told(self, answers: Said, row: int) -> str:
        """Return the answer to one row in words."""

    @abstractmethod
    def score(self, metric: str, y: np.ndarray, answers: Said) -> float:
        """Return one metric of answers for the truth `y` [rows]. Raises `UndefinedMetric`."""

    def scores(self, y: np.ndarray, answers: Said) -> dict[str, float]:
        """Return every metric that is defined for these rows."""
        values: dict[str, float] = {}
        for metric in self.metrics:
            try:
                values[metric] = self.score(metric, y, answers)
            except UndefinedMetric:
                continue
        return values
