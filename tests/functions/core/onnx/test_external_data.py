from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from functions.core.onnx.session import BadModel, Session
from tests.functions.graphs import graph


def elsewhere(**reference: object) -> Any:
    tensor = numpy_helper.from_array(np.zeros(4, dtype=np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (reference or {"location": "/etc/passwd"}).items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def identity(weights: list[Any] | None = None, nodes: list[Any] | None = None) -> bytes:
    nodes = nodes or [helper.make_node("Identity", ["X"], ["Y"])]
    return graph(nodes, [("X", "FP32", [None])], [("Y", "FP32", [None])], weights or [])


def inside(field: str) -> bytes:
    """Return a model with an external tensor in one of the fields that can hold a tensor."""
    sparse = helper.make_sparse_tensor(elsewhere(), numpy_helper.from_array(np.zeros(4, dtype=np.int64)), [4])
    match field:
        case "initializer":
            return identity([elsewhere()])
        case "attribute":
            nodes = [helper.make_node("Constant", [], ["w"], value=elsewhere())]
        case "list":
            nodes = [helper.make_node("Custom", [], ["w"], values=[elsewhere()])]
        case "sparse":
            nodes = [helper.make_node("Constant", [], ["w"], sparse_value=sparse)]
        case _:
            branch = helper.make_graph([helper.make_node("Constant", [], ["b"], value=elsewhere())], "branch", [], [])
            nodes = [helper.make_node("If", ["X"], ["w"], then_branch=branch, else_branch=branch)]
    return identity(nodes=[*nodes, helper.make_node("Identity", ["X"], ["Y"])])


@pytest.mark.parametrize("field", ["initializer", "attribute", "list", "sparse", "branch"])
def test_a_model_that_reaches_for_other_files_is_refused_wherever_it_does(field: str) -> None:
    with pytest.raises(BadModel, match="weights in other files"):
        Session(inside(field))


@pytest.mark.parametrize("half", ["data_location", "external_data"])
def test_half_a_reference_to_another_file_is_enough(half: str) -> None:
    tensor = numpy_helper.from_array(np.zeros(1, dtype=np.float32), "location")
    if half == "data_location":
        tensor.data_location = TensorProto.EXTERNAL
    else:
        tensor.external_data.add(key="location", value="weights.bin")
    with pytest.raises(BadModel, match="weights in other files"):
        Session(identity([tensor]))


def test_a_model_that_only_speaks_of_a_location_is_opened() -> None:
    kept = numpy_helper.from_array(np.zeros(1, dtype=np.float32), "location")
    data = identity([kept])
    assert b"location" in data
    assert Session(data).inputs[0].name == "X"


@pytest.mark.parametrize("content", [b"", b"junk", b"location junk"])
def test_a_file_that_is_no_model_is_a_bad_model(content: bytes) -> None:
    with pytest.raises(BadModel):
        Session(content)
