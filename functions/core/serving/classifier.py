"""A classifier that was trained here: rows of declared features in, a label and probabilities out."""

from __future__ import annotations

import math
from operator import eq
from typing import TYPE_CHECKING, Any

from functions.core.http.problem import Fault, Problem
from functions.core.onnx.session import BadModel, ModelFailure, Session, check_golden
from functions.core.onnx.tensor import FLOATS, INTEGERS, Spec, Tensor
from functions.core.registry.versions import Version, features_of
from functions.core.serving.feature_bounds import Bounds
from functions.core.serving.micro_batching import Batch
from functions.core.serving.rows import MOST_ROWS, check_values, encode_instances, quick_values, refuse_many
from functions.core.serving.servable import Servable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.serving.json_schema import Schema, Schemas


class Classifier(Servable):
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
        self._batch = Batch(self.session.run)
        self.takes = self._check_signature()
        self.inputs = {self.input: self.takes}
        self.outputs = {spec.name: spec for spec in self.session.outputs}
        self._bounds = Bounds(self.features)
        check_golden(self.session, version.golden, self._probabilities)

    def _check_signature(self) -> Spec:
        width = len(self.features)
        inputs = self.session.inputs
        if len(inputs) != 1 or inputs[0].name != self.input or inputs[0].shape[1:] not in ((width,), (-1,)):
            raise BadModel(f"the model does not take the one input [rows, {width}] that its card names")
        datatypes = {spec.name: spec.datatype for spec in self.session.outputs}
        missing = {self._label, self._probabilities} - set(datatypes)
        if missing:
            raise BadModel(f"the model has no output {', '.join(sorted(missing))}, which its card names")
        if datatypes[self._label] not in INTEGERS:
            raise BadModel(f"the output {self._label} is {datatypes[self._label]}; accepted: positions, as in INT64")
        return Spec(name=self.input, datatype=inputs[0].datatype, shape=(inputs[0].shape[0], width))

    def tensor(self, rows: Sequence[Sequence[float]]) -> Tensor:
        """Encoded rows as the model's input."""
        return self._tensor([value for row in rows for value in row])

    def _tensor(self, values: Sequence[float]) -> Tensor:
        width = len(self.features)
        return Tensor.of(self.takes.datatype, (len(values) // width, width), values)

    def encode(self, instances: Any) -> dict[str, Tensor]:
        """Objects by feature name, or lists in the model's order."""
        values = quick_values(instances, self.features)
        if values is not None:
            try:
                tensor = self._tensor(values)
            except ValueError:
                pass  # beyond what 32 bits can hold
            else:
                if tensor.datatype == "FP32" and not self._bounds.suspects(tensor):
                    return {self.input: tensor}
        return {self.input: self.tensor(encode_instances(instances, self.features))}

    def admit(self, inputs: Mapping[str, Tensor]) -> None:
        """Numbers that were encoded by the caller: each within its feature's bounds, a category's position."""
        tensor = inputs[self.input]
        rows = tensor.shape[0]
        if rows > MOST_ROWS:
            refuse_many(rows, MOST_ROWS)
        if not rows:
            fault = Fault(field="inputs[0].shape", message="has no rows; accepted: 1 or more")
            raise Problem(400, "there are no rows", faults=[fault])
        suspects = self._bounds.suspects(tensor) if tensor.datatype == "FP32" else list(range(rows))
        if suspects and tensor.datatype in FLOATS:
            check_values(((row, tensor.rows(row, row + 1).values()) for row in suspects), self._bounds.features)

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
        return outputs

    def predictions(self, outputs: Mapping[str, Tensor], rows: int) -> list[dict[str, Any]]:
        """`{"label": ..., "probabilities": {class: ...}}` for every row."""
        flat, width = outputs[self._probabilities].values(), len(self.classes)
        each = zip(*[iter(flat)] * width, strict=True)
        return [
            {"label": label, "probabilities": dict(zip(self.classes, row, strict=True))}
            for label, row in zip(self.labels(outputs), each, strict=True)
        ]

    def rows(self, outputs: Mapping[str, Tensor]) -> int:
        return outputs[self._label].shape[0]

    def agreement(self, outputs: Mapping[str, Tensor], other: Servable, theirs: Mapping[str, Tensor]) -> int:
        """By the name of the class: two versions may count their classes otherwise."""
        if not isinstance(other, Classifier):
            return 0
        return sum(map(eq, self.labels(outputs), other.labels(theirs)))

    def labels(self, outputs: Mapping[str, Tensor]) -> list[str]:
        """The class of every row."""
        return [self.classes[label] for label in outputs[self._label].values()]

    def probabilities(self, outputs: Mapping[str, Tensor]) -> Tensor:
        """[rows, classes]"""
        return outputs[self._probabilities]

    def contents(self, inputs: Mapping[str, Tensor], outputs: Mapping[str, Tensor], rows: int) -> dict[str, Any]:
        """Encoded rows, with null for a missing value, and their probabilities."""
        given = [None if math.isnan(value) else value for value in inputs[self.input].rows(0, rows).values()]
        found = outputs[self._probabilities].rows(0, rows).values()
        return {"inputs": _cut(given, len(self.features)), "outputs": _cut(found, len(self.classes))}

    def schemas(self) -> Schemas:
        from functions.core.serving.json_schema import Schemas, encoded_of, object_of, rows_of, tensor_of  # noqa: PLC0415

        named, listed = rows_of(self.features)
        label: Schema = {"type": "string", "enum": list(self.classes)}
        probabilities = object_of({name: {"type": "number"} for name in self.classes})
        return Schemas(
            instance={"anyOf": [named, listed]},
            prediction=object_of({"label": label, "probabilities": probabilities}),
            inputs=[tensor_of(self.takes, encoded_of(self.features, self.takes.datatype), most=MOST_ROWS)],
            outputs=list(self.outputs),
        )

    def check_columns(self, columns: Sequence[str]) -> None:
        from functions.core.serving.csv_instances import check_columns  # noqa: PLC0415 - only jobs have tables

        check_columns(columns, self.features)

    def instance_of(self, cells: Mapping[str, str]) -> dict[str, Any]:
        from functions.core.serving.csv_instances import instance_of  # noqa: PLC0415

        return instance_of(cells, self.features)


def _cut(flat: Sequence[Any], width: int) -> list[list[Any]]:
    return [list(flat[start : start + width]) for start in range(0, len(flat), width)]
