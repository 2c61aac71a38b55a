"""The task of telling classes apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.training import class_answers, threshold
from functions.core.training.class_answers import ClassAnswers, Threshold, undecided
from functions.core.training.metrics import DrawnClasses
from functions.core.training.signature import LABEL, PROBABILITIES
from functions.core.training.task import Decided, Task, Tested
from models.task import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.onnx.tensor import Tensor
    from functions.core.training.answers import Differences
    from models.contract import Target
    from models.decision import Decision


class Classification(Task[ClassAnswers]):
    def __init__(self, target: Target, asked: Sequence[str] = (), decision: Decision | None = None) -> None:
        """`asked` are the metrics that the contract names, `decision` is what its threshold is chosen for."""
        self.target = target
        self.decision = decision
        self.metrics = tuple(dict.fromkeys([*plain("classification"), *asked]))
        self.classes: tuple[str, ...] = target.classes

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

    def judged(self, tested: Tested[ClassAnswers], weights: Sequence[np.ndarray] | None = None) -> list[ClassAnswers]:
        if self.decision is None:
            return super().judged(tested)
        return threshold.decided_by_others(self.decision, tested, weights)

    def decided(self, tested: Tested[ClassAnswers], weights: Sequence[np.ndarray] | None = None) -> Decided | None:
        if self.decision is None:
            return None
        chosen = threshold.chosen(self.decision, tested, weights)
        return Decided(threshold=chosen, record=threshold.told(self.decision, chosen, tested, weights))

    def level(self, answers: ClassAnswers) -> np.ndarray:
        return answers.probabilities[:, -1]

    def scale(self, levels: np.ndarray) -> float:
        return 1.0

    def drawn(
        self, y: np.ndarray, answers: ClassAnswers, counts: np.ndarray, weight: np.ndarray | None = None
    ) -> DrawnClasses:
        return DrawnClasses(y, answers, counts, weight)
