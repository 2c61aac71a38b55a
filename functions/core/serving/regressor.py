"""A regressor that was trained here: rows of declared features in, a number for each out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from functions.core.onnx.golden_rows import check_golden_numbers
from functions.core.onnx.session import BadModel, ModelFailure
from functions.core.onnx.tensor import FLOATS
from functions.core.serving.tabular import Tabular

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.onnx.tensor import Tensor
    from functions.core.registry.versions import Version
    from functions.core.serving.json_schema import Schemas
    from functions.core.serving.servable import Servable


class Regressor(Tabular):
    def __init__(self, version: Version) -> None:
        super().__init__(version)
        card = version.card
        self.unit: str = card["target"].get("unit", "")
        self.usual_error: float = card.get("metrics", {}).get("holdout", {}).get("mae", 0.0)
        """Its mean absolute error on rows that it never saw."""
        self._value: str = card["outputs"]["value"]
        self._require_outputs(self._value)
        datatype = self.outputs[self._value].datatype
        if datatype not in FLOATS:
            raise BadModel(f"the output {self._value} is {datatype}; accepted: numbers, as in FP32")
        check_golden_numbers(self.session, version.golden, self._value)

    def answer(self, inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        outputs = self._batch.run(inputs)
        values = self.values(outputs)
        if len(values) != inputs[self.input].shape[0]:
            raise ModelFailure("the model did not answer with a number for every row")
        if not math.isfinite(sum(values)) and not all(map(math.isfinite, values)):
            raise ModelFailure("the model answered with a number that is not finite")
        return outputs

    def predictions(self, outputs: Mapping[str, Tensor], rows: int) -> list[dict[str, Any]]:
        """Return `{"value": ...}` for every row."""
        return [{"value": value} for value in self.values(outputs)]

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

    def _numbers(self, outputs: Mapping[str, Tensor]) -> tuple[Tensor, int]:
        return outputs[self._value], 1

    def schemas(self) -> Schemas:
        from functions.core.serving.json_schema import object_of  # noqa: PLC0415 - only a description has schemas

        value = {"type": "number"} | ({"description": self.unit} if self.unit else {})
        return self._schemas(object_of({"value": value}))
