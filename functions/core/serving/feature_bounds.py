"""A small ONNX graph that compares numbers with the bounds of their features.

onnxruntime looks through ten thousand rows in a thousandth of a second, where Python, one number
at a time, would take longer than the model itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.onnx.graph_builder import Graph

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.feature import Feature


def bounds_graph(terms: Sequence[Feature], low: Sequence[float], high: Sequence[float]) -> bytes:
    """Return an ONNX model of the input `x` FP32 [rows, terms] and the output `off` FP32 [rows].

    `off` is how far a row is from acceptable, 0 where all is well. The distance of NaN is NaN,
    but for terms that keep missing values. `low` and `high` are the bounds of each term.
    """
    width = len(terms)
    whole = [term.kind != "number" for term in terms]
    keeps = [term.missing == "keep" for term in terms]
    graph = Graph("bounds")
    graph.constant("low", "FP32", (1, width), low)
    graph.constant("high", "FP32", (1, width), high)
    graph.constant("columns", "INT64", (1,), (1,))
    x = "x"
    if any(keeps):
        graph.constant("keeps", "BOOL", (1, width), keeps)
        unknown = graph.node("And", graph.node("IsNaN", x), "keeps")
        x = graph.node("Where", unknown, "low", x)
    near = graph.node("Min", graph.node("Max", x, "low"), "high")
    if any(whole):
        graph.constant("whole", "BOOL", (1, width), whole)
        near = graph.node("Where", "whole", graph.node("Floor", near), near)
    distance = graph.node("Abs", graph.node("Sub", x, near))
    graph.node("ReduceSum", distance, "columns", output="off", keepdims=0)
    return graph.model(inputs={"x": ("FP32", (-1, width))}, outputs={"off": ("FP32", (-1,))})
