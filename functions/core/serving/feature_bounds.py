"""Are numbers within the bounds of their features? A few are compared here, many by onnxruntime.

A small graph of its own does it: for ten thousand rows in a thousandth of a second, where
Python, one number at a time, would take longer than the model itself.
"""

from __future__ import annotations

import math
import struct
from operator import ge, le
from typing import TYPE_CHECKING

from functions.core.onnx.session import Session
from functions.core.onnx.tensor_bytes import pack
from models.feature import LARGEST, Feature
from models.light import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.onnx.tensor import Tensor

FEW = 4
"""Rows that are compared here: asking onnxruntime takes as long."""


class Bounds:
    """What `features` accept of a tensor FP32 [rows, features], whose bounds are rounded as its numbers are."""

    def __init__(self, features: Sequence[Feature]) -> None:
        self.features = tuple(_rounded(feature) for feature in features)
        self._low = tuple(_range(feature)[0] for feature in self.features)
        self._high = tuple(_range(feature)[1] for feature in self.features)
        self._whole = [at for at, feature in enumerate(features) if feature.kind != "number"]
        self._session: Session | None = None

    def suspects(self, tensor: Tensor) -> list[int]:
        """Rows that hold a value which one of the features may refuse. All other rows are well."""
        rows = tensor.shape[0]
        if rows > FEW:
            return self._ask(tensor)
        values, width = tensor.values(), len(self.features)
        if rows == 1 and self._holds(values):
            return []
        return [row for row in range(rows) if not self._holds(values[row * width : (row + 1) * width])]

    def _holds(self, values: tuple[float, ...]) -> bool:
        if not (all(map(le, self._low, values)) and all(map(ge, self._high, values))):
            return False  # NaN is neither
        return not self._whole or all([float(values[at]).is_integer() for at in self._whole])

    def _ask(self, tensor: Tensor) -> list[int]:
        if self._session is None:
            self._session = Session(self.graph())
        off = self._session.run({"x": tensor}, ["off"])["off"]
        if not bytes(pack(off)).strip(b"\0"):
            return []
        return [row for row, value in enumerate(off.values()) if value]

    def graph(self) -> bytes:
        """The model that tells of every row how far it is from acceptable: `off` FP32 [rows], 0 where all is well.

        The distance of NaN is NaN, but for features that keep missing values.
        """
        from functions.core.onnx.graph_builder import Graph  # noqa: PLC0415 - a first answer about few rows does without it

        width = len(self.features)
        graph = Graph("bounds")
        graph.constant("low", "FP32", (1, width), self._low)
        graph.constant("high", "FP32", (1, width), self._high)
        graph.constant("columns", "INT64", (1,), (1,))
        x = "x"
        if any(feature.missing == "keep" for feature in self.features):
            graph.constant("keeps", "BOOL", (1, width), [feature.missing == "keep" for feature in self.features])
            unknown = graph.node("And", graph.node("IsNaN", x), "keeps")
            x = graph.node("Where", unknown, "low", x)
        near = graph.node("Min", graph.node("Max", x, "low"), "high")
        if self._whole:
            graph.constant("whole", "BOOL", (1, width), [feature.kind != "number" for feature in self.features])
            near = graph.node("Where", "whole", graph.node("Floor", near), near)
        distance = graph.node("Abs", graph.node("Sub", x, near))
        graph.node("ReduceSum", distance, "columns", output="off", keepdims=0)
        return graph.model(inputs={"x": ("FP32", (-1, width))}, outputs={"off": ("FP32", (-1,))})


def _rounded(feature: Feature) -> Feature:
    """A number at its very bound is sent as the nearest FP32, which may lie beyond."""
    bounds = {"minimum": feature.minimum, "maximum": feature.maximum}
    return replace(feature, **{name: _fp32(bound) for name, bound in bounds.items() if bound is not None})


def _fp32(value: float) -> float:
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(LARGEST, value)


def _range(feature: Feature) -> tuple[float, float]:
    match feature.kind:
        case "category":
            return 0.0, len(feature.categories) - 1.0
        case "boolean":
            return 0.0, 1.0
        case _:
            low = -LARGEST if feature.minimum is None else feature.minimum
            return low, LARGEST if feature.maximum is None else feature.maximum
