"""A model that was trained here: rows of declared features in, an answer to each of them out."""

from __future__ import annotations

import math
from abc import abstractmethod
from itertools import chain
from operator import ge, itemgetter, le
from typing import TYPE_CHECKING, Any

from functions.core.http.problem import Fault, Problem
from functions.core.onnx.session import BadModel, Session
from functions.core.onnx.tensor import FLOATS, Spec, Tensor
from functions.core.onnx.tensor_bytes import pack
from functions.core.registry.versions import Version, features_of
from functions.core.serving.micro_batching import Batch
from functions.core.serving.rows import MOST_ROWS, check_values, encode_instances, refuse_many
from functions.core.serving.servable import Place, Servable
from models.feature import LARGEST, Feature, UnacceptableValue, any_compound, nearest_in_32_bits
from models.light import replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.serving.json_schema import Schema, Schemas


FEW = 4
"""Rows that are compared in Python: a call of onnxruntime takes as long."""
_ROWS = ({list}, {tuple})
_PLAIN = frozenset({int, float})


class Tabular(Servable):
    """What a `Classifier` and a `Regressor` have in common: all but their answers."""

    def __init__(self, version: Version) -> None:
        card = version.card
        self.model = version.model
        self.version = version.version
        self.features = features_of(card)
        self.codes = {one.name: one.names for one in self.features if one.kind == "category"}
        self._is_plain = not any_compound(self.features)
        self.terms = self.features if self._is_plain else _terms_of(self.features)
        self.ids = tuple(card.get("id", ()))
        self.input: str = card["input"]
        self.session = Session(version.onnx)
        self._batch = Batch(self.session.run)
        self.takes = self._check_input()
        self.inputs = {self.input: self.takes}
        self.outputs = {spec.name: spec for spec in self.session.outputs}
        self._bounds = Bounds(self.terms)

    def _check_input(self) -> Spec:
        width = len(self.terms)
        inputs = self.session.inputs
        if len(inputs) != 1 or inputs[0].name != self.input or inputs[0].row not in ((width,), (-1,)):
            raise BadModel(f"the model does not take the one input [rows, {width}] that its card names")
        return Spec(name=self.input, datatype=inputs[0].datatype, shape=((inputs[0].shape or (-1,))[0], width))

    def _require_outputs(self, *names: str) -> None:
        """Raise `BadModel` where the file lacks an output."""
        missing = set(names) - set(self.outputs)
        if missing:
            raise BadModel(f"the model has no output {', '.join(sorted(missing))}, which its card names")

    def _tensor(self, values: Sequence[float]) -> Tensor:
        """Return encoded rows, one after the other, as the model's input, [rows, terms]."""
        width = len(self.terms)
        return Tensor.of(self.takes.datatype, (len(values) // width, width), values)

    def encode(self, instances: Any) -> dict[str, Tensor]:
        """Return objects by feature name, or lists in the model's order, as the input [rows, terms]."""
        quick = self._quick(instances)
        if quick is not None:
            return {self.input: quick[0]}
        return {self.input: self._tensor(encode_instances(instances, self.features, self._quick_numbers))}

    def _quick(self, instances: Any) -> tuple[Tensor, list[float]] | None:
        """Return instances as an FP32 tensor [rows, terms] and as numbers; None where one may be at fault."""
        if self.takes.datatype != "FP32" or not self._is_plain:
            return None
        values = _quick_values(instances, self.features)
        if values is None:
            return None
        try:
            tensor = self._tensor(values)
        except ValueError:
            return None  # beyond what 32 bits can hold
        return None if self._bounds.suspects(tensor) else (tensor, values)

    def _quick_numbers(self, instances: list[Any]) -> list[float] | None:
        quick = self._quick(instances)
        return None if quick is None else quick[1]

    def admit(self, inputs: Mapping[str, Tensor]) -> None:
        """Check numbers that the caller encoded: within its feature's bounds, or the position of a category."""
        tensor = inputs[self.input]
        rows = tensor.shape[0]
        if rows > MOST_ROWS:
            refuse_many(rows, MOST_ROWS)
        if not rows:
            fault = Fault(field="inputs[0].shape", message="has no rows; accepted: 1 or more")
            raise Problem(400, "there are no rows", faults=[fault])
        suspects = self._bounds.suspects(tensor) if tensor.datatype == "FP32" else list(range(rows))
        if suspects and tensor.datatype in FLOATS:
            check_values(((row, tensor.rows(row, row + 1).values()) for row in suspects), self._bounds.terms)

    def contents(self, inputs: Mapping[str, Tensor], outputs: Mapping[str, Tensor], rows: int) -> dict[str, Any]:
        """Return encoded rows, with null for a missing value, and their answers as numbers."""
        values: Sequence[float] = first_values(inputs[self.input], rows)
        encoded: Sequence[float | None] = values
        if math.isnan(sum(values)):
            encoded = [None if math.isnan(value) else value for value in values]
        return {"inputs": cut(encoded, len(self.terms)), "outputs": self._numbers(outputs, rows)}

    def places(self) -> dict[str, Place]:
        if self._is_plain:
            return {one.name: Place(input=self.input, start=at, stop=at + 1) for at, one in enumerate(self.features)}
        from models.terms import lacking, spans_of  # noqa: PLC0415 - most models have no such feature

        spans = spans_of(self.features)
        return {
            one.name: Place(
                input=self.input,
                start=spans[one.name].start,
                stop=spans[one.name].stop,
                telling=tuple(lacking(one, self.features)[spans[one.name].stop - spans[one.name].start :]),
            )
            for one in self.features
        }

    @abstractmethod
    def _numbers(self, outputs: Mapping[str, Tensor], rows: int) -> list[list[float]]:
        """Return the numbers of an answer's first rows."""

    def _schemas(self, prediction: Schema) -> Schemas:
        from functions.core.serving.json_schema import Schemas, encoded_of, rows_of, tensor_of  # noqa: PLC0415

        named, listed = rows_of(self.features)
        return Schemas(
            instance={"anyOf": [named, listed]},
            prediction=prediction,
            inputs=[tensor_of(self.takes, encoded_of(self.terms, self.takes.datatype), most=MOST_ROWS)],
            outputs=list(self.outputs),
        )

    def columns(self) -> tuple[Feature, ...]:
        return self.features

    def inputs_of(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, Tensor]:
        """Return columns of encoded numbers as the input [rows, terms]; or what a term is without."""
        from functions.core.serving.table_inputs import side_by_side  # noqa: PLC0415 - only jobs have tables

        rows = len(next(iter(columns.values())))
        values = [columns[one.name] if one.name in columns else [one.encode(None)] * rows for one in self.terms]
        return {self.input: side_by_side(self.takes, values, [term.name for term in self.terms])}


class Bounds:
    """The bounds of terms, rounded to FP32 as the numbers of a tensor are.

    A few rows are compared with them here, many by onnxruntime.
    """

    def __init__(self, terms: Sequence[Feature]) -> None:
        self.terms = tuple(_rounded(term) for term in terms)
        self.low = tuple(_range(term)[0] for term in self.terms)
        self.high = tuple(_range(term)[1] for term in self.terms)
        self._whole = [at for at, term in enumerate(terms) if term.kind != "number"]
        self._session: Session | None = None

    def suspects(self, tensor: Tensor) -> list[int]:
        """Return the positions of rows of an FP32 tensor [rows, terms] that a term may refuse.

        Every other row is acceptable.
        """
        rows = tensor.shape[0]
        if rows > FEW:
            return self._suspects_of_many(tensor)
        values, width = tensor.values(), len(self.terms)
        if rows == 1 and self._holds(values):
            return []
        return [row for row in range(rows) if not self._holds(values[row * width : (row + 1) * width])]

    def _holds(self, values: tuple[float, ...]) -> bool:
        if not (all(map(le, self.low, values)) and all(map(ge, self.high, values))):
            return False  # NaN is neither
        return not self._whole or all([float(values[at]).is_integer() for at in self._whole])

    def _suspects_of_many(self, tensor: Tensor) -> list[int]:
        if self._session is None:
            from functions.core.serving.feature_bounds import bounds_graph  # noqa: PLC0415 - few rows do without it

            self._session = Session(bounds_graph(self.terms, self.low, self.high))
        off = self._session.run({"x": tensor}, ["off"])["off"]
        if not bytes(pack(off)).strip(b"\0"):
            return []
        return [row for row, value in enumerate(off.values()) if value]


def _quick_values(instances: Any, features: Sequence[Feature]) -> list[float] | None:
    """Return the numbers of instances in row-major order, or None where one of them may be at fault.

    `encode_instances` then has the last word. Bounds are not looked at.
    """
    if not isinstance(instances, list) or not 0 < len(instances) <= MOST_ROWS:
        return None
    width = len(features)
    try:
        if type(instances[0]) is dict and width > 1:
            rows = list(map(itemgetter(*[feature.name for feature in features]), instances))
        else:
            rows = instances
        if set(map(len, instances)) != {width} or set(map(type, rows)) not in _ROWS:
            return None
        values = list(chain.from_iterable(rows))
        for at, feature in enumerate(features):
            if feature.kind in ("category", "boolean"):
                values[at::width] = _category_numbers(feature, values[at::width])
    except (TypeError, LookupError, UnacceptableValue):
        return None
    return values if _PLAIN.issuperset(map(type, values)) else None


def _category_numbers(feature: Feature, values: list[Any]) -> list[float]:
    """Return the numbers of a category's names, or of true and false.

    Raise `LookupError`, `TypeError` or `UnacceptableValue` for others.
    """
    kind, names = (bool, (False, True)) if feature.kind == "boolean" else (str, feature.categories)
    if set(map(type, values)) != {kind}:
        raise LookupError(feature.name)
    numbers = {name: float(at) for at, name in enumerate(names)}
    if feature.unseen == "other":
        numbers |= {value: feature.encode(value) for value in set(values) - numbers.keys()}
    return list(map(numbers.__getitem__, values))


def _terms_of(features: Sequence[Feature]) -> tuple[Feature, ...]:
    from models.terms import terms_of  # noqa: PLC0415 - most models have no such feature

    return terms_of(features)


def first_values(tensor: Tensor, rows: int) -> Sequence[Any]:
    """Return the values of a tensor's first rows."""
    return (tensor if rows >= tensor.shape[0] else tensor.rows(0, rows)).values()


def cut(flat: Sequence[Any], width: int) -> list[list[Any]]:
    """Return values in rows of so many."""
    if len(flat) == width:
        return [list(flat)]
    return [list(flat[start : start + width]) for start in range(0, len(flat), width)]


def _rounded(feature: Feature) -> Feature:
    """Return the feature with bounds rounded to FP32: a number at its very bound arrives so, and may lie beyond."""
    bounds = {"minimum": feature.minimum, "maximum": feature.maximum}
    return replace(feature, **{name: nearest_in_32_bits(bound) for name, bound in bounds.items() if bound is not None})


def _range(feature: Feature) -> tuple[float, float]:
    match feature.kind:
        case "category":
            return 0.0, len(feature.names) - 1.0
        case "boolean":
            return 0.0, 1.0
        case _:
            low = -LARGEST if feature.minimum is None else feature.minimum
            return low, LARGEST if feature.maximum is None else feature.maximum
