"""A bring-your-own ONNX model: tensors in, tensors out, whatever they mean."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from functions.core.http.problem import Fault, Problem, shown
from functions.core.onnx.session import BadModel, ModelFailure, RunStopped, Session
from functions.core.onnx.tensor import FLOATS, Tensor
from functions.core.onnx.tensor_json import MOST_LENGTHS, from_json
from functions.core.serving import golden
from functions.core.serving.json_schema import Schema, Schemas, nested_of, object_of, tensor_of
from functions.core.serving.rows import check_count
from functions.core.serving.servable import Place, Servable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.onnx.tensor import Spec
    from functions.core.registry.versions import Version
    from models.feature import Feature

CAPTURED_VALUES = 10_000
"""The most values of a tensor that are captured; of a larger one, only datatype and shape are."""


class OnnxModel(Servable):
    def __init__(self, version: Version) -> None:
        card = version.card
        self.model = version.model
        self.version = version.version
        self.session = Session(version.onnx)
        self.inputs = {spec.name: spec for spec in (*self.session.inputs, *self.session.optional)}
        self._needed = {spec.name: spec for spec in self.session.inputs}
        self.outputs = {spec.name: spec for spec in self.session.outputs}
        scores = card.get("scores") or {}
        self.scores: str | None = scores.get("output")
        self.classes: tuple[str, ...] = tuple(scores.get("classes", ()))
        self._columns: Mapping[str, Sequence[str]] = card.get("columns", {})
        self.tolerance: float = version.golden["tolerance"]
        complaint = unfit_scores(self.session, self.scores, self.classes)
        if self._columns and not complaint:
            from functions.core.serving.table_inputs import unfit_columns  # noqa: PLC0415 - few models name columns

            complaint = unfit_columns(self.session.inputs, self._columns)
        if complaint:
            raise BadModel(complaint)
        golden.check(self.session, version.golden)

    def encode(self, instances: Any) -> dict[str, Tensor]:
        """Return rows as one tensor for each input. A row is an object by input, or the value of a single input."""
        check_count(instances)
        for name, spec in self._needed.items():
            first = -1 if spec.shape is None else next(iter(spec.shape), None)
            if first not in (-1, len(instances)):
                rows = "has no rows" if first is None else f"takes exactly {first} rows"
                raise _refusal("instances", f"do not fit: {name} {rows}; infer takes its tensors as they are")
        rows = [self._row(instance, position) for position, instance in enumerate(instances)]
        return {name: _stacked([row[name] for row in rows], spec) for name, spec in self._needed.items()}

    def _row(self, instance: Any, position: int) -> dict[str, Any]:
        where, names = f"instances[{position}]", ", ".join(self._needed)
        if isinstance(instance, dict):
            for name in instance:
                if name in self.inputs and name not in self._needed:
                    raise _refusal(f"{where}.{name}", f"is optional, and infer alone takes it; accepted: {names}")
                if name not in self._needed:
                    raise _refusal(f"{where}.{shown(name)}", f"is no input; accepted: {names}")
            for name in self._needed:
                if name not in instance:
                    raise _refusal(f"{where}.{name}", f"is missing; accepted: {names}")
            return instance
        if len(self._needed) == 1:
            return dict.fromkeys(self._needed, instance)
        raise _refusal(where, f"is not an object of the inputs {names}")

    def admit(self, inputs: Mapping[str, Tensor]) -> None:
        """Accept any values: nothing is known of them but their datatype."""

    def answer(self, inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Run the model. Raise `Problem` 422 where it fails: only the model knows which lengths and values fit it."""
        try:
            return self.session.run(inputs)
        except RunStopped:
            raise
        except ModelFailure as problem:
            raise Problem(422, "the model cannot answer: lengths or values of its inputs do not fit it") from problem

    def predictions(self, outputs: Mapping[str, Tensor], rows: int) -> list[dict[str, Any]]:
        """Return for every row its label and the score of each class, where these are known, and its other outputs."""
        if any(tensor.shape[:1] != (rows,) for tensor in outputs.values()):
            raise Problem(422, "the model does not answer row by row; infer gives its tensors as they are")
        for name, tensor in outputs.items():
            if not tensor.is_text:
                raise Problem(422, f"the output {name} is bytes that are not UTF-8; infer gives them as they are")
        predictions: list[dict[str, Any]] = [{} for _ in range(rows)]
        for name, tensor in outputs.items():
            for row, value in zip(predictions, _nested(_finite(tensor), tensor.shape), strict=True):
                if name == self.scores and len(tensor.shape) == 2:
                    row |= {
                        "label": self.classes[greatest(value)],
                        "scores": dict(zip(self.classes, value, strict=True)),
                    }
                else:
                    row.setdefault("outputs", {})[name] = value
        return predictions

    def rows(self, outputs: Mapping[str, Tensor]) -> int:
        """Return the first length of the outputs if all share it, else 1: the answer is a whole."""
        lengths = {tensor.shape[0] if tensor.shape else -1 for tensor in outputs.values()}
        [rows] = lengths if len(lengths) == 1 else [-1]
        return rows if rows >= 0 else 1

    def agreement(self, outputs: Mapping[str, Tensor], other: Servable, theirs: Mapping[str, Tensor]) -> int:
        """Compare labels where both versions know classes, else every output, up to rounding."""
        rows = self.rows(outputs)
        if not isinstance(other, OnnxModel):
            return 0
        if self.scores and other.scores:
            mine, others = self.labels(outputs), other.labels(theirs)
            return sum(one == another for one, another in zip(mine, others, strict=False)) * rows // max(len(mine), 1)
        if _shapes(outputs) != _shapes(theirs):
            return 0
        if any(tensor.shape[:1] != (rows,) for tensor in outputs.values()):
            return int(self._alike(outputs, theirs))
        return sum(self._alike(_row(outputs, at), _row(theirs, at)) for at in range(rows))

    def _alike(self, outputs: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> bool:
        return not any(golden.unlike(tensor, theirs[name], self.tolerance) for name, tensor in outputs.items())

    def labels(self, outputs: Mapping[str, Tensor]) -> list[str]:
        """Return the class of the greatest score of every row; none where no output holds scores."""
        if self.scores is None:
            return []
        flat, width = _finite(outputs[self.scores]), len(self.classes)
        return [self.classes[greatest(flat[at : at + width])] for at in range(0, len(flat), width)]

    def said(self, outputs: Mapping[str, Tensor]) -> list[str]:
        return self.labels(outputs)

    def contents(self, inputs: Mapping[str, Tensor], outputs: Mapping[str, Tensor], rows: int) -> dict[str, Any]:
        """Return the tensors by name, with null for NaN and infinity, which JSON does not know."""
        return {
            "inputs": {name: _kept(tensor, rows) for name, tensor in inputs.items()},
            "outputs": {name: _kept(tensor, rows) for name, tensor in outputs.items()},
        }

    def truth(self) -> Feature:
        from models.feature import Feature  # noqa: PLC0415 - only feedback has truths

        if not self.classes:
            raise Problem(400, f"{self.model} names no classes that a truth could be one of; accepted: none")
        return Feature(name="truth", kind="category", categories=self.classes)

    def places(self) -> dict[str, Place]:
        """Return where each named column stands in its input; an input without named columns is one by itself."""
        found = {name: Place(input=name, is_whole=True) for name in self.inputs if name not in self._columns}
        for name, columns in self._columns.items():
            found |= {column: Place(input=name, start=at, stop=at + 1) for at, column in enumerate(columns)}
        return found

    def columns(self) -> tuple[Feature, ...]:
        """Return a column for each input that is one, and those that model.yaml names for the others."""
        from functions.core.serving.table_inputs import feature_of, names_of  # noqa: PLC0415 - only jobs have tables

        return tuple(
            feature_of(name, spec.datatype) for spec in self._needed.values() for name in names_of(spec, self._columns)
        )

    def inputs_of(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, Tensor]:
        from functions.core.serving.table_inputs import names_of, side_by_side  # noqa: PLC0415

        inputs = {}
        for name, spec in self._needed.items():
            names = names_of(spec, self._columns)
            inputs[name] = side_by_side(spec, [columns[column] for column in names], names)
        return inputs

    def schemas(self) -> Schemas:
        rows = {name: nested_of(spec.datatype, spec.row) for name, spec in self._needed.items()}
        instance: Schema = {**object_of(rows), "additionalProperties": False}
        if len(rows) == 1:
            instance = {"anyOf": [instance, *rows.values()]}
        scores = {"type": "object", "additionalProperties": {"type": ["number", "null"]}}
        known = {"label": {"type": "string", "enum": list(self.classes)}, "scores": scores} if self.scores else {}
        return Schemas(
            instance=instance,
            prediction=object_of({**known, "outputs": {"type": "object"}}, []),
            inputs=[tensor_of(spec) for spec in self.session.inputs],
            optional=[tensor_of(spec) for spec in self.session.optional],
            outputs=list(self.outputs),
        )


def unfit_scores(session: Session, output: str | None, classes: Sequence[str]) -> str | None:
    """Return why an output cannot hold a score for each of the classes; None where it can."""
    if output is None:
        return None
    specs = {spec.name: spec for spec in session.outputs}
    if output not in specs:
        return f"scores.output: {output} is no output; accepted: {', '.join(specs)}"
    spec = specs[output]
    last = -1 if spec.shape is None else next(reversed(spec.shape), None)
    if spec.datatype not in FLOATS or last not in (-1, len(classes)):
        actual = f"{spec.datatype} of the shape {spec.shape_in_words}"
        return f"scores: {output} is {actual}; its last length must be that of the {len(classes)} classes"
    return None


def greatest(values: Sequence[float | None]) -> int:
    """Return the position of the greatest value, the first of several. None counts as the least."""
    return max(range(len(values)), key=lambda at: -math.inf if (value := values[at]) is None else value)


def _row(tensors: Mapping[str, Tensor], at: int) -> dict[str, Tensor]:
    return {name: tensor.rows(at, at + 1) for name, tensor in tensors.items()}


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tensor.shape for name, tensor in tensors.items()}


def _stacked(rows: list[Any], spec: Spec) -> Tensor:
    """Return rows as people write them as one tensor. An open length is that of the first row.

    Where a row is one value, it may be written with its list or without it.
    """
    if spec.row == (1,):
        rows = [row if isinstance(row, list) else [row] for row in rows]
    shape, value = [len(rows)], rows[0]
    for length in _depth(rows[0]) if spec.row is None else spec.row:
        if not isinstance(value, list):
            raise _refusal(spec.name, f"is not nested as deep as the shape {spec.shape_in_words} says")
        if length not in (-1, len(value)):
            raise _refusal(
                spec.name, f"holds lists of {len(value)}; accepted: rows of the shape {list(spec.row or ())}"
            )
        shape.append(len(value))
        value = value[0] if value else None
    try:
        return from_json(rows, spec.datatype, tuple(shape), spec.name, halves=True)
    except Problem as problem:
        raise Problem(400, _MISFIT, faults=problem.faults) from None


def _depth(row: Any) -> list[int]:
    """Return an open length for each list that a row is nested in."""
    lengths = []
    while isinstance(row, list) and len(lengths) < MOST_LENGTHS:
        lengths.append(-1)
        row = row[0] if row else None
    return lengths


_MISFIT = "the rows do not fit the model"


def _refusal(field: str, message: str) -> Problem:
    return Problem(400, _MISFIT, faults=[Fault(field=field, message=message)])


def _nested(values: Sequence[Any], shape: Sequence[int]) -> Any:
    """Return flat values as nested lists of a shape."""
    if not shape:
        return values[0]
    nested: list[Any] = list(values)
    for length in reversed(shape[1:]):
        count = len(nested) // length if length else math.prod(shape[: len(shape) - 1])
        nested = [nested[at * length : (at + 1) * length] for at in range(count)]
    return nested


def _kept(tensor: Tensor, rows: int) -> dict[str, Any]:
    part = tensor.rows(0, rows) if tensor.shape else tensor
    kept: dict[str, Any] = {"datatype": part.datatype, "shape": list(part.shape)}
    if math.prod(part.shape) > CAPTURED_VALUES:
        return kept
    return {**kept, "data": _finite(part)}


def _finite(tensor: Tensor) -> Sequence[Any]:
    """Return the values, with None for NaN and infinity."""
    values = tensor.values()
    if tensor.datatype not in FLOATS or math.isfinite(sum(values)):
        return values
    return [value if math.isfinite(value) else None for value in values]
