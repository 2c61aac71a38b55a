"""Versions of the demonstration model, built from weights: right, blunt, wrong, brittle and slow ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from functions.core.onnx.session import Session
from functions.core.onnx.tensor import Tensor
from functions.core.registry.versions import Registry
from functions.core.storage.store_url import open_store
from functions.core.training.export import to_onnx
from functions.core.training.signature import INPUT, LABEL, PROBABILITIES
from models.breast_cancer import sample
from models.contract import Contract

MODEL = "breast_cancer"
GOLDEN_ROWS = 4


@cache
def cases() -> tuple[np.ndarray, np.ndarray]:
    """Return the whole sample: float32 [569, 30], and 0 or 1 [569]."""
    instances, labels = sample.instances()
    x = np.array([list(instance.values()) for instance in instances], dtype=np.float32)
    return x, np.array([label == "malignant" for label in labels], dtype=np.int64)


@cache
def right(c: float = 1.0) -> bytes:
    """Return a classifier that agrees with any other good one; another `c` is another version."""
    x, y = cases()
    return to_onnx(make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=2000)).fit(x, y), 30)


@cache
def blunt() -> bytes:
    """Return one that agrees with `right` by label, but is sure of everything: any honest candidate ranks better."""
    x, y = cases()
    linear = LogisticRegression(max_iter=2000)
    pipeline = make_pipeline(StandardScaler(), linear).fit(x, y)
    linear.coef_, linear.intercept_ = linear.coef_ * 1e4, linear.intercept_ * 1e4
    return to_onnx(pipeline, 30)


@cache
def wrong() -> bytes:
    """Return one that answers every case with the other class."""
    x, y = cases()
    return to_onnx(make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(x, 1 - y), 30)


@cache
def brittle(limit: float = 1000.0) -> bytes:
    """Return one that agrees with `right`, and fails on a row whose first feature is above the limit.

    It then reads an element that does not exist.
    """
    model = onnx.load_from_string(right())
    graph = model.graph
    first = graph.input[0].name
    constants = {
        "b_zero": np.array(0, dtype=np.int64),
        "b_limit": np.array(limit, dtype=np.float32),
        "b_table": np.zeros(1, dtype=np.float32),
    }
    graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in constants.items())
    probabilities = graph.output[1].name
    for node in graph.node:
        node.output[:] = ["b_answer" if name == probabilities else name for name in node.output]
    graph.node.extend(
        [
            helper.make_node("Gather", [first, "b_zero"], ["b_column"], axis=1),
            helper.make_node("Greater", ["b_column", "b_limit"], ["b_above"]),
            helper.make_node("Cast", ["b_above"], ["b_index"], to=TensorProto.INT64),
            helper.make_node("Gather", ["b_table", "b_index"], ["b_nothing"], axis=0),
            helper.make_node("ReduceSum", ["b_nothing"], ["b_sum"], keepdims=0),
            helper.make_node("Add", ["b_answer", "b_sum"], [probabilities]),
        ]
    )
    return model.SerializeToString()


@cache
def slow(rounds: int = 20, width: int = 1200) -> bytes:
    """Return one that agrees with `right`, after long arithmetic that adds nothing: 0.1 ms or more a round and row."""
    x, y = cases()
    linear = LogisticRegression(C=0.1, max_iter=5000).fit((x - x.mean(0)) / x.std(0), y)
    rng = np.random.default_rng(0)
    constants: dict[str, np.ndarray] = {
        "mean": x.mean(0).astype(np.float32),
        "std": x.std(0).astype(np.float32),
        "w": np.concatenate([-linear.coef_, linear.coef_]).T.astype(np.float32),
        "b": np.concatenate([-linear.intercept_, linear.intercept_]).astype(np.float32),
        "in": rng.normal(size=(30, width)).astype(np.float32),
        "turn": (rng.normal(size=(width, width)) / width).astype(np.float32),
        "nothing": np.zeros((width, 2), dtype=np.float32),
    }
    steps = [("Sub", [INPUT, "mean"], "centred"), ("Div", ["centred", "std"], "x"), ("MatMul", ["x", "in"], "h0")]
    for number in range(rounds):
        steps += [("MatMul", [f"h{number}", "turn"], f"t{number}"), ("Tanh", [f"t{number}"], f"h{number + 1}")]
    steps += [
        ("MatMul", [f"h{rounds}", "nothing"], "added"),
        ("MatMul", ["x", "w"], "product"),
        ("Add", ["product", "b"], "scores"),
        ("Add", ["scores", "added"], "sum"),
    ]
    nodes = [helper.make_node(kind, inputs, [output]) for kind, inputs, output in steps]
    nodes += [
        helper.make_node("Softmax", ["sum"], [PROBABILITIES], axis=1),
        helper.make_node("ArgMax", [PROBABILITIES], [LABEL], axis=1, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "slow",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["rows", 30])],
        [
            helper.make_tensor_value_info(LABEL, TensorProto.INT64, ["rows"]),
            helper.make_tensor_value_info(PROBABILITIES, TensorProto.FLOAT, ["rows", 2]),
        ],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def register(put: Callable[[str, bytes], None], onnx: bytes) -> str:
    """Write a version with `put`, as the registry writes it; return its name."""
    memory = open_store("memory://")
    version = Registry(memory, MODEL).register(onnx, card(), golden(onnx), {})
    for key in memory.keys(f"{MODEL}/versions/{version}/"):
        put(key, memory.get(key))
    return version


def card() -> dict[str, Any]:
    """Return what the card of a version says before it is registered."""
    contract = Contract.load(MODEL).model_dump(mode="json")
    return {
        "features": contract["features"],
        "target": contract["target"],
        "task": "classification",
        "input": INPUT,
        "outputs": {"label": LABEL, "probabilities": PROBABILITIES},
    }


def golden(onnx: bytes) -> dict[str, Any]:
    """Return what a version answers to a few rows."""
    rows = cases()[0][:GOLDEN_ROWS]
    outputs = Session(onnx).run({INPUT: Tensor.of("FP32", (GOLDEN_ROWS, 30), rows.ravel().tolist())})
    flat = outputs[PROBABILITIES].values()
    pairs = [list(flat[at : at + 2]) for at in range(0, len(flat), 2)]
    return {"inputs": rows.tolist(), "probabilities": pairs, "tolerance": 1e-4}
