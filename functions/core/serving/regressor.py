"""A regressor that was trained here: rows of declared features in, a number for each out, perhaps with an interval."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from functions.core.onnx.golden_rows import check_golden_numbers
from functions.core.onnx.session import BadModel, ModelFailure
from functions.core.onnx.tensor import FLOATS
from functions.core.serving.tabular import Tabular, first_values
from models.feature import Feature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.onnx.tensor import Tensor
    from functions.core.registry.versions import Version
    from functions.core.serving.json_schema import Schema, Schemas
    from functions.core.serving.servable import Servable


ENDS = ("low", "high")
"""What a card and an answer call the ends of an interval."""


class Regressor(Tabular):
    def __init__(self, version: Version) -> None:
        super().__init__(version)
        card = version.card
        self.unit: str = card["target"].get("unit", "")
        self.usual_error: float = card.get("metrics", {}).get("holdout", {}).get("mae", 0.0)
        """Its mean absolute error on rows that it never saw."""
        self._value: str = card["outputs"]["value"]
        self._coverage: float = card.get("interval", {}).get("coverage", 0.0)
        self._ends: tuple[str, ...] = tuple(card["outputs"][name] for name in ENDS if name in card["outputs"])
        self._numbered = (self._value, *self._ends)
        self._require_outputs(*self._numbered)
        for name in self._numbered:
            datatype = self.outputs[name].datatype
            if datatype not in FLOATS:
                raise BadModel(f"the output {name} is {datatype}; accepted: numbers, as in FP32")
        check_golden_numbers(self.session, version.golden, self._value, self._ends)

    def answer(self, inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        outputs = self._batch.run(inputs)
        for name in self._numbered:
            values = outputs[name].values()
            if len(values) != inputs[self.input].shape[0]:
                raise ModelFailure("the model did not answer with a number for every row")
            if not math.isfinite(sum(values)) and not all(map(math.isfinite, values)):
                raise ModelFailure("the model answered with a number that is not finite")
        return outputs

    def predictions(self, outputs: Mapping[str, Tensor], rows: int) -> list[dict[str, Any]]:
        """Return `{"value": ...}` for every row, with `low` and `high` where it has an interval."""
        if (ends := self.ends(outputs)) is None:
            return [{"value": value} for value in self.values(outputs)]
        each = zip(self.values(outputs), *ends, strict=True)
        return [{"value": value, "low": low, "high": high} for value, low, high in each]

    def rows(self, outputs: Mapping[str, Tensor]) -> int:
        return outputs[self._value].shape[0]

    def agreement(self, outputs: Mapping[str, Tensor], other: Servable, theirs: Mapping[str, Tensor]) -> int:
        """Count two numbers as the same answer that are no farther apart than the other version usually errs."""
        if not isinstance(other, Regressor):
            return 0
        near = other.usual_error
        pairs = zip(self.values(outputs), other.values(theirs), strict=True)
        return sum(abs(ours - their) <= near for ours, their in pairs)

    def values(self, outputs: Mapping[str, Tensor]) -> tuple[float, ...]:
        """Return the number for every row."""
        return outputs[self._value].values()

    def said(self, outputs: Mapping[str, Tensor]) -> list[float]:
        return list(self.values(outputs))

    def ends(self, outputs: Mapping[str, Tensor]) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
        """Return the lower end and the upper one for every row; None where it has no interval."""
        if not self._ends:
            return None
        low, high = self._ends
        return outputs[low].values(), outputs[high].values()

    def _numbers(self, outputs: Mapping[str, Tensor], rows: int) -> list[list[float]]:
        each = zip(*(first_values(outputs[name], rows) for name in self._numbered), strict=True)
        return list(map(list, each))

    def truth(self) -> Feature:
        return Feature(name="truth")

    def schemas(self) -> Schemas:
        from functions.core.serving.json_schema import object_of  # noqa: PLC0415 - only a description has schemas

        value = {"type": "number"} | ({"description": self.unit} if self.unit else {})
        if not self._ends:
            return self._schemas(object_of({"value": value}))
        return self._schemas(object_of({"value": value, **{name: self._end(name) for name in ENDS}}))

    def _end(self, name: str) -> Schema:
        """Return the schema of an end, which says what it is."""
        unit = f", {self.unit}" if self.unit else ""
        side = "at most" if name == "low" else "at least"
        return {"type": "number", "description": f"{side} value: {self._coverage:g} of truths are to lie within{unit}"}
