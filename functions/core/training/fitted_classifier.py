"""A classifier that `fit` returned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.training.answers import TOLERANCE
from functions.core.training.class_answers import ClassAnswers
from functions.core.training.export import bounded, decided, threshold_of, to_onnx
from functions.core.training.fitted import Fitted, one_a_row
from functions.core.training.own_export import NUMBERS, WHOLE, Tensor
from functions.core.training.signature import LABEL, PROBABILITIES
from functions.core.training.unusable import UnusableEstimator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.training.class_answers import Threshold
    from functions.core.training.classification import Classification


class FittedClassifier(Fitted[ClassAnswers]):
    task: Classification

    def __init__(self, estimator: Any, task: Classification, chosen: Threshold | None = None) -> None:
        """`chosen` decides in place of the estimator's `predict`."""
        super().__init__(estimator, task)
        self._chosen = chosen

    def answers(self, x: np.ndarray) -> ClassAnswers:
        probabilities = self.probabilities(x)
        if self._chosen is not None:
            return ClassAnswers.likeliest(probabilities).decided(self._chosen)
        predict = getattr(self.estimator, "predict", None)
        if predict is None:
            return ClassAnswers.likeliest(probabilities)
        labels = one_a_row(predict(x), len(x))
        positions = np.arange(len(self.task.classes))
        if labels.dtype.kind not in "biuf" or not np.isin(labels, positions).all():
            last = len(self.task.classes) - 1
            raise UnusableEstimator(f"predict gives other values than 0 to {last}, the positions of the classes")
        return ClassAnswers(labels=labels.astype(np.int64), probabilities=probabilities)

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """Return its probabilities, float64 [rows, classes].

        Raises `UnusableEstimator` for another shape, and for values that are no probabilities.
        """
        if not hasattr(self.estimator, "predict_proba"):
            raise UnusableEstimator("the estimator has no predict_proba, which a classification needs")
        answered = self.estimator.predict_proba(x)
        try:
            probabilities = np.asarray(answered, dtype=np.float64)
        except (TypeError, ValueError):
            raise UnusableEstimator(
                "predict_proba gives values that are no numbers, or rows of several lengths"
            ) from None
        expected = (len(x), len(self.task.classes))
        if probabilities.shape != expected:
            shapes = f"{list(probabilities.shape)}; expected: {list(expected)}"
            raise UnusableEstimator(f"predict_proba gives the shape {shapes}")
        if not np.isfinite(probabilities).all():
            raise UnusableEstimator("predict_proba gives values that are not finite")
        beyond = np.abs(probabilities - 0.5) > 0.5 + TOLERANCE
        if beyond.any() or (np.abs(probabilities.sum(1) - 1) > TOLERANCE).any():
            raise UnusableEstimator("predict_proba gives values outside of 0 to 1, or rows that do not sum to 1")
        return probabilities

    def to_onnx(self, width: int) -> bytes:
        return to_onnx(self.estimator, width, decides=self._chosen is None)

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        return {LABEL: Tensor(WHOLE, None), PROBABILITIES: Tensor(NUMBERS, len(self.task.classes))}

    def finished(self, onnx: bytes) -> bytes:
        return bounded(onnx) if self._chosen is None else decided(bounded(onnx), self._chosen)

    @property
    def decision(self) -> dict[str, Any] | None:
        threshold = self._chosen or threshold_of(self.estimator)
        return None if threshold is None else threshold.document()
