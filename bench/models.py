"""Make ONNX models of a chosen size, with the signature of the product's classifiers."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from bench.subject import WIDTH
from functions.core.training.signature import INPUT, LABEL, PROBABILITIES


def dense(megabytes: int) -> bytes:
    """Return a dense network of about `megabytes` MB, nearly all of them one weight matrix."""
    width = round((megabytes * 250_000) ** 0.5)
    rng = np.random.default_rng(0)
    constants = {
        "in": rng.normal(size=(WIDTH, width), scale=0.01).astype(np.float32),
        "between": rng.normal(size=(width, width), scale=0.01).astype(np.float32),
        "out": rng.normal(size=(width, 2), scale=0.01).astype(np.float32),
    }
    steps = [
        ("MatMul", [INPUT, "in"], "a"),
        ("Relu", ["a"], "b"),
        ("MatMul", ["b", "between"], "c"),
        ("Relu", ["c"], "d"),
        ("MatMul", ["d", "out"], "scores"),
    ]
    nodes = [helper.make_node(kind, inputs, [output]) for kind, inputs, output in steps]
    nodes += [
        helper.make_node("Softmax", ["scores"], [PROBABILITIES], axis=1),
        helper.make_node("ArgMax", [PROBABILITIES], [LABEL], axis=1, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "dense",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["rows", WIDTH])],
        [
            helper.make_tensor_value_info(LABEL, TensorProto.INT64, ["rows"]),
            helper.make_tensor_value_info(PROBABILITIES, TensorProto.FLOAT, ["rows", 2]),
        ],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
