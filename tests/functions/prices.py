"""A model of prices for `Bench`: a regression that needs neither scikit-learn nor its converter."""

from __future__ import annotations

from typing import Any

from tests.functions.bench import CONTRACT, NO_LATENCY

PRICES: dict[str, Any] = {
    **CONTRACT,
    "task": "regression",
    "target": {"name": "price", "minimum": 0, "unit": "EUR"},
    "search": {"families": [{"ridge": [0.1, 10.0]}], "folds": 3, "seed": 1, "metric": "rmse"},
    "gate": {
        "metric": "mae",
        "maximum": 3.0,
        "slices": [{"feature": "colour", "category": "red", "at_most": 4.0}],
        **NO_LATENCY,
    },
}
TRAINING = """
import numpy as np
from onnx import TensorProto, helper, numpy_helper


class Linear:
    def __init__(self, weights):
        self.weights = weights.astype(np.float32)

    def predict(self, x):
        return np.column_stack([x, np.ones(len(x), dtype=np.float32)]) @ self.weights


def fit(X, y, params):
    a = np.column_stack([X, np.ones(len(X))]).astype(np.float64)
    gram = a.T @ a + params["ridge"] * np.eye(a.shape[1])
    return Linear(np.linalg.solve(gram, a.T @ y))


def export(estimator):
    w = estimator.weights
    constants = {"w": w[:-1, None], "b": w[-1:]}
    nodes = [
        helper.make_node("MatMul", ["features", "w"], ["product"]),
        helper.make_node("Add", ["product", "b"], ["value"]),
    ]
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, len(w) - 1])],
        [helper.make_tensor_value_info("value", TensorProto.FLOAT, [None, 1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    return model.SerializeToString(deterministic=True)
"""
WITH_INTERVAL: dict[str, Any] = {**PRICES, "interval": {"coverage": 0.9}}
FIT_QUANTILE = """

def fit_quantile(X, y, params, quantile):
    middle = fit(X, y, params)
    moved = middle.weights.copy()
    moved[-1] += np.quantile(y - middle.predict(X), quantile)
    return Linear(moved)
"""
"""The middle, moved by a quantile of its errors."""
HEADER = ("size", "weight", "colour", "price")


def price_of(size: float, weight: float, colour: str) -> float:
    return 4 * size + weight + (10 if colour == "red" else 0)


def rows(count: int = 90) -> list[list[Any]]:
    """Return different rows: what is larger costs more, what is red costs ten more, and a little is by chance."""
    found: list[list[Any]] = []
    for i in range(count):
        size, weight, colour = 30 + (i * 7) % 23 + i / 1000, (i * 5) % 13 - 6, "red" if i % 3 == 0 else "green"
        found.append([round(size, 3), weight, colour, round(price_of(size, weight, colour) + (i * 11) % 5 - 2, 2)])
    return found
