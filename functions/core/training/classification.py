"""The task of telling classes apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.training import class_answers, metrics
from functions.core.training.answers import TOLERANCE, Differences
from functions.core.training.class_answers import ClassAnswers, Threshold, undecided
from functions.core.training.export import bounded, threshold_of, to_onnx
from functions.core.training.signature import LABEL, PROBABILITIES
from functions.core.training.task import Task, UnusableEstimator, one_a_row
from models.task import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.onnx.tensor import Tensor
    from models.contract import Target


class Classification(Task[ClassAnswers]):
    metrics = METRICS["classification"]

    def __init__(self, target: Target) -> None:
        self.target = target
        self.classes: tuple[str, ...] = target.classes

    def answers_of(self, estimator: Any, x: np.ndarray) -> ClassAnswers:
        probabilities = self.probabilities_of(estimator, x)
        predict = getattr(estimator, "predict", None)
        if predict is None:
            return ClassAnswers.likeliest(probabilities)
        labels = one_a_row(predict(x), len(x))
        positions = np.arange(len(self.classes))
        if labels.dtype.kind not in "biuf" or not np.isin(labels, positions).all():
            last = len(self.classes) - 1
            raise UnusableEstimator(f"predict gives other values than 0 to {last}, the positions of the classes")
        return ClassAnswers(labels=labels.astype(np.int64), probabilities=probabilities)

    def probabilities_of(self, estimator: Any, x: np.ndarray) -> np.ndarray:
        """Return the estimator's probabilities, float64 [rows, classes].

        Raises `UnusableEstimator` for another shape, and for values that are no probabilities.
        """
        if not hasattr(estimator, "predict_proba"):
            raise UnusableEstimator("the estimator has no predict_proba, which a classification needs")
        probabilities = np.asarray(estimator.predict_proba(x), dtype=np.float64)
        if probabilities.shape != (len(x), len(self.classes)):
            expected = f"[{len(x)}, {len(self.classes)}]"
            raise UnusableEstimator(f"predict_proba gives the shape {list(probabilities.shape)}; expected: {expected}")
        if not np.isfinite(probabilities).all():
            raise UnusableEstimator("predict_proba gives values that are not finite")
        beyond = np.abs(probabilities - 0.5) > 0.5 + TOLERANCE
        if beyond.any() or (np.abs(probabilities.sum(1) - 1) > TOLERANCE).any():
            raise UnusableEstimator("predict_proba gives values outside of 0 to 1, or rows that do not sum to 1")
        return probabilities

    def export(self, estimator: Any, width: int) -> bytes:
        return to_onnx(estimator, width)

    def finished(self, onnx: bytes) -> bytes:
        return bounded(onnx)

    def decision_of(self, estimator: Any) -> dict[str, Any] | None:
        threshold = threshold_of(estimator)
        return None if threshold is None else threshold.document()

    def golden(self, answers: ClassAnswers, decision: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return probabilities and labels; null stands for a label that rounding decides."""
        open_rows = undecided(answers.probabilities, Threshold.parse(decision)).tolist()
        labels = zip(answers.labels.tolist(), open_rows, strict=True)
        return {
            "probabilities": answers.probabilities.tolist(),
            "labels": [None if is_open else label for label, is_open in labels],
        }

    def card(self) -> dict[str, Any]:
        return {
            "target": {"name": self.target.name, "classes": list(self.classes)},
            "outputs": {"label": LABEL, "probabilities": PROBABILITIES},
        }

    def why_not_comparable(self, card: Mapping[str, Any]) -> str:
        return "" if tuple(card["target"]["classes"]) == self.classes else "the champion knows other classes"

    def read(self, data: bytes) -> ClassAnswers:
        return ClassAnswers.from_bytes(data)

    def served(self, version: Any, outputs: Sequence[Mapping[str, Tensor]]) -> ClassAnswers:
        labels = [np.zeros(0, dtype=np.int64)]
        probabilities = [np.zeros((0, len(version.classes)))]
        for some in outputs:
            labels.append(np.asarray(version.positions(some), dtype=np.int64))
            answered = version.probabilities(some)
            probabilities.append(np.asarray(answered.values(), dtype=np.float64).reshape(answered.shape))
        return ClassAnswers(labels=np.concatenate(labels), probabilities=np.concatenate(probabilities))

    def compare(self, estimator: ClassAnswers, served: ClassAnswers, decision: Mapping[str, Any] | None) -> Differences:
        return class_answers.differences(estimator, served, Threshold.parse(decision))

    def told(self, answers: ClassAnswers, row: int) -> str:
        label = int(answers.labels[row])
        return f"{self.classes[label]} with {answers.probabilities[row, label]:.6g}"

    def score(self, metric: str, y: np.ndarray, answers: ClassAnswers) -> float:
        return metrics.score(metric, y, answers)
