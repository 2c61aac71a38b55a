from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from functions.core.onnx import BadModel, ModelFailure, Session, check_golden
from functions.core.tensor import Spec, Tensor
from tests.functions.serving import golden_of, model_bytes

ROWS = Tensor.of("FP32", (2, 2), [1.0, 9.0, 9.0, 1.0])


def identity(kind: int, initializers: list[Any] | None = None, nodes: list[Any] | None = None) -> bytes:
    graph = helper.make_graph(
        nodes or [helper.make_node("Identity", ["X"], ["Y"])],
        "identity",
        [helper.make_tensor_value_info("X", kind, [None])],
        [helper.make_tensor_value_info("Y", kind, [None])],
        initializers or [],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return made.SerializeToString()


def elsewhere(location: str = "/etc/passwd") -> Any:
    tensor = numpy_helper.from_array(np.zeros(4, dtype=np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return tensor


def test_a_session_names_what_it_takes_and_gives() -> None:
    session = Session(model_bytes())
    assert session.inputs == (Spec(name="X", datatype="FP32", shape=(-1, 2)),)
    assert session.outputs == (
        Spec(name="label", datatype="INT64", shape=(-1,)),
        Spec(name="probabilities", datatype="FP32", shape=(-1, 2)),
    )


def test_a_session_answers_in_the_order_that_was_asked_for() -> None:
    found = Session(model_bytes()).run({"X": ROWS}, ["probabilities", "label"])
    assert list(found) == ["probabilities", "label"]
    assert found["label"] == Tensor.of("INT64", (2,), [0, 1])
    assert found["probabilities"].shape == (2, 2)
    assert all(type(value) is float for value in found["probabilities"].values())


@pytest.mark.parametrize(
    ("kind", "datatype", "data"),
    [
        (TensorProto.FLOAT, "FP32", [0.5, -2.0]),
        (TensorProto.DOUBLE, "FP64", [0.1, 1e300]),
        (TensorProto.FLOAT16, "FP16", [0.5, 2.0]),
        (TensorProto.INT8, "INT8", [-128, 127]),
        (TensorProto.INT64, "INT64", [-(2**63), 2**63 - 1]),
        (TensorProto.UINT64, "UINT64", [0, 2**64 - 1]),
        (TensorProto.BOOL, "BOOL", [True, False]),
        (TensorProto.STRING, "BYTES", ["a", "ü"]),
    ],
)
def test_every_datatype_passes_unchanged(kind: int, datatype: str, data: list[Any]) -> None:
    tensor = Tensor.of(datatype, (2,), data)
    assert Session(identity(kind)).run({"X": tensor}) == {"Y": tensor}


@pytest.mark.parametrize("damaged", [b"", b"not a model", model_bytes()[:-40], model_bytes()[:100]])
def test_a_damaged_file_is_no_model(damaged: bytes) -> None:
    with pytest.raises(BadModel):
        Session(damaged)


@given(st.binary(max_size=200))
def test_whatever_bytes_come_they_are_a_bad_model_and_nothing_worse(junk: bytes) -> None:
    with pytest.raises(BadModel):
        Session(b"location" + junk)


def inside(place: str) -> bytes:
    """A model with an external tensor in one of the places where tensors can be."""
    sparse = helper.make_sparse_tensor(elsewhere(), numpy_helper.from_array(np.zeros(4, dtype=np.int64)), [4])
    match place:
        case "initializer":
            return identity(TensorProto.FLOAT, [elsewhere()])
        case "attribute":
            nodes = [helper.make_node("Constant", [], ["w"], value=elsewhere())]
        case "list":
            nodes = [helper.make_node("Custom", [], ["w"], values=[elsewhere()])]
        case "sparse":
            nodes = [helper.make_node("Constant", [], ["w"], sparse_value=sparse)]
        case _:
            branch = helper.make_graph([helper.make_node("Constant", [], ["b"], value=elsewhere())], "branch", [], [])
            nodes = [helper.make_node("If", ["X"], ["w"], then_branch=branch, else_branch=branch)]
    return identity(TensorProto.FLOAT, nodes=[*nodes, helper.make_node("Identity", ["X"], ["Y"])])


@pytest.mark.parametrize("place", ["initializer", "attribute", "list", "sparse", "branch"])
def test_a_model_that_reaches_for_other_files_is_refused_wherever_it_does(place: str) -> None:
    with pytest.raises(BadModel, match="weights in other files"):
        Session(inside(place))


@pytest.mark.parametrize("half", ["data_location", "external_data"])
def test_half_a_reference_to_another_file_is_enough(half: str) -> None:
    tensor = numpy_helper.from_array(np.zeros(1, dtype=np.float32), "location")
    if half == "data_location":
        tensor.data_location = TensorProto.EXTERNAL
    else:
        tensor.external_data.add(key="location", value="weights.bin")
    with pytest.raises(BadModel, match="weights in other files"):
        Session(identity(TensorProto.FLOAT, [tensor]))


def test_a_model_that_only_speaks_of_a_location_is_opened() -> None:
    kept = numpy_helper.from_array(np.zeros(1, dtype=np.float32), "location")
    data = identity(TensorProto.FLOAT, [kept])
    assert b"location" in data
    assert Session(data).inputs[0].name == "X"


def test_a_model_that_fails_says_so_without_its_trace() -> None:
    poison = Tensor.of("FP32", (1, 2), [500.0, 1.0])
    with pytest.raises(ModelFailure) as caught:
        Session(model_bytes(fails=True)).run({"X": poison})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "inputs",
    [{}, {"Y": ROWS}, {"X": Tensor.of("FP64", (2, 2), ROWS.values())}, {"X": Tensor.of("FP32", (2, 3), [0.0] * 6)}],
)
def test_an_input_that_does_not_fit_is_a_failure_and_no_crash(inputs: dict[str, Tensor]) -> None:
    with pytest.raises(ModelFailure):
        Session(model_bytes()).run(inputs)


def test_golden_answers_hold_for_the_model_they_were_made_with() -> None:
    check_golden(Session(model_bytes()), golden_of(model_bytes()))


def test_golden_answers_unmask_another_model() -> None:
    with pytest.raises(BadModel, match=r"golden row 0 differs by .*at most 0\.0001"):
        check_golden(Session(model_bytes(slope=-1.0)), golden_of(model_bytes()))


def test_a_golden_null_is_a_value_that_is_not_there() -> None:
    golden = golden_of(model_bytes())
    with pytest.raises(BadModel, match="golden row 1"):
        check_golden(Session(model_bytes()), {**golden, "inputs": [[1.0, 9.0], [None, 1.0], [5.0, 4.0]]})


@pytest.mark.parametrize("probabilities", [[[1.0, 0.0]], [[math.nan, 0.0]] * 3])
def test_golden_answers_of_another_shape_or_without_a_value_do_not_pass(probabilities: list[Any]) -> None:
    with pytest.raises(BadModel, match="golden"):
        check_golden(Session(model_bytes()), {**golden_of(model_bytes()), "probabilities": probabilities})
