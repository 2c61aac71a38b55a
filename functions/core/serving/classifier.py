"""A classifier that was trained here: rows of declared features in, a label and probabilities out."""

from __future__ import annotations

import math
from operator import eq
from typing import TYPE_CHECKING, Any

from functions.core.onnx.golden_rows import check_golden
from functions.core.onnx.session import BadModel, ModelFailure
from functions.core.onnx.tensor import INTEGERS, Tensor
from functions.core.serving.tabular import Tabular, cut, first_values
from models.feature import Feature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.registry.versions import Version
    from functions.core.serving.json_schema import Schema, Schemas
    from functions.core.serving.servable import Servable


class Classifier(Tabular):
    def __init__(self, version: Version) -> None:
        super().__init__(version)
        card = version.card
        self.classes: tuple[str, ...] = tuple(card["target"]["classes"])
        self._label: str = card["outputs"]["label"]
        self._probabilities: str = card["outputs"]["probabilities"]
        self._is_bounded = card.get("format", 1) > 1
        """Whether the probabilities of its file are from 0 to 1. Those of older versions may be off by rounding."""
        self._require_outputs(self._label, self._probabilities)
        label = self.outputs[self._label].datatype
        if label not in INTEGERS:
            raise BadModel(f"the output {self._label} is {label}; accepted: positions, as in INT64")
        check_golden(self.session, version.golden, self._probabilities, self._label)

    def answer(self, inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        outputs = self._batch.run(inputs)
        rows, width = inputs[self.input].shape[0], len(self.classes)
        probabilities, labels = outputs[self._probabilities].values(), outputs[self._label].values()
        if len(labels) != rows or len(probabilities) != rows * width:
            raise ModelFailure(f"the model did not answer with a label and {width} probabilities for every row")
        if not math.isfinite(sum(probabilities)):
            raise ModelFailure("the model answered with a probability that is not finite")
        if rows and not 0 <= min(labels) <= max(labels) < width:
            raise ModelFailure("the model answered with a class that its card does not name")
        if self._is_bounded or not rows or 0 <= min(probabilities) <= max(probabilities) <= 1:
            return outputs
        spec = outputs[self._probabilities]
        within = [min(max(value, 0.0), 1.0) for value in probabilities]
        return {**outputs, self._probabilities: Tensor.of(spec.datatype, spec.shape, within)}

    def predictions(self, outputs: Mapping[str, Tensor], rows: int) -> list[dict[str, Any]]:
        """Return `{"label": ..., "probabilities": {class: ...}}` for every row."""
        flat, width = outputs[self._probabilities].values(), len(self.classes)
        each = zip(*[iter(flat)] * width, strict=True)
        return [
            {"label": label, "probabilities": dict(zip(self.classes, row, strict=True))}
            for label, row in zip(self.labels(outputs), each, strict=True)
        ]

    def rows(self, outputs: Mapping[str, Tensor]) -> int:
        return outputs[self._label].shape[0]

    def agreement(self, outputs: Mapping[str, Tensor], other: Servable, theirs: Mapping[str, Tensor]) -> int:
        """Compare the names of classes: two versions may order their classes differently."""
        if not isinstance(other, Classifier):
            return 0
        return sum(map(eq, self.labels(outputs), other.labels(theirs)))

    def labels(self, outputs: Mapping[str, Tensor]) -> list[str]:
        """Return the class of every row."""
        return [self.classes[label] for label in self.positions(outputs)]

    def said(self, outputs: Mapping[str, Tensor]) -> list[str]:
        return self.labels(outputs)

    def positions(self, outputs: Mapping[str, Tensor]) -> tuple[int, ...]:
        """Return the class of every row, as its position."""
        return outputs[self._label].values()

    def probabilities(self, outputs: Mapping[str, Tensor]) -> Tensor:
        """Return the probabilities, [rows, classes]."""
        return outputs[self._probabilities]

    def _numbers(self, outputs: Mapping[str, Tensor], rows: int) -> list[list[float]]:
        return cut(first_values(self.probabilities(outputs), rows), len(self.classes))

    def truth(self) -> Feature:
        return Feature(name="truth", kind="category", categories=self.classes)

    def schemas(self) -> Schemas:
        from functions.core.serving.json_schema import object_of  # noqa: PLC0415 - only a description has schemas

        label: Schema = {"type": "string", "enum": list(self.classes)}
        probabilities = object_of({name: {"type": "number"} for name in self.classes})
        return self._schemas(object_of({"label": label, "probabilities": probabilities}))
