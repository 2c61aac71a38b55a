"""A registered version, opened, proven on its golden inputs, and ready to classify."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from functions.core.onnx import BadModel, ModelFailure, Session, check_golden
from functions.core.registry import Version, features_of
from functions.core.tensor import Spec, Tensor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a model said about some rows."""

    outputs: Mapping[str, Tensor]
    """Every output, under the model's own names."""
    labels: list[int]
    """A position in the classes, for every row."""
    probabilities: list[list[float]]
    """[rows, classes]"""


class Classifier:
    """Raises `BadModel` when the version cannot be opened, or does not answer as it did when it was made."""

    def __init__(self, version: Version) -> None:
        card = version.card
        self.model = version.model
        self.version = version.version
        self.features = features_of(card)
        self.classes: tuple[str, ...] = tuple(card["target"]["classes"])
        self.input: str = card["input"]
        self._label: str = card["outputs"]["label"]
        self._probabilities: str = card["outputs"]["probabilities"]
        self.session = Session(version.onnx)
        self.takes: Spec = self._check_signature()
        check_golden(self.session, version.golden, self._probabilities)

    def _check_signature(self) -> Spec:
        width = len(self.features)
        inputs = self.session.inputs
        if len(inputs) != 1 or inputs[0].name != self.input or inputs[0].shape[1:] not in ((width,), (-1,)):
            raise BadModel(f"the model does not take the one input [rows, {width}] that its card names")
        missing = {self._label, self._probabilities} - {spec.name for spec in self.session.outputs}
        if missing:
            raise BadModel(f"the model has no output {', '.join(sorted(missing))}, which its card names")
        return replace(inputs[0], shape=(inputs[0].shape[0], width))

    def tensor(self, rows: Sequence[Sequence[float]]) -> Tensor:
        """Encoded rows as the model's input."""
        shape = (len(rows), len(self.features))
        return Tensor.of(self.takes.datatype, shape, [value for row in rows for value in row])

    def answer(self, tensor: Tensor) -> Answer:
        """Classify `tensor`, [rows, features]. Raises `ModelFailure`, also when the answer is no answer."""
        outputs = self.session.run({self.input: tensor})
        flat, width = outputs[self._probabilities].values(), len(self.classes)
        labels = list(outputs[self._label].values())
        if len(labels) != tensor.shape[0] or len(flat) != tensor.shape[0] * width:
            raise ModelFailure(f"the model did not answer with a label and {width} probabilities for every row")
        if not all(map(math.isfinite, flat)):
            raise ModelFailure("the model answered with a probability that is not finite")
        if not all(isinstance(label, int) and 0 <= label < width for label in labels):
            raise ModelFailure("the model answered with a class that its card does not name")
        rows = [list(flat[start : start + width]) for start in range(0, len(flat), width)]
        return Answer(outputs=outputs, labels=labels, probabilities=rows)
