from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper, load_model_from_string, numpy_helper

from functions.core.onnx import session as sessions
from functions.core.onnx.session import LARGE, BadModel, Session
from functions.core.onnx.tensor import Tensor
from functions.core.onnx.weights import lift

WIDTH = 600
X = np.linspace(-1, 1, 2 * WIDTH, dtype=np.float32).reshape(2, WIDTH)


def model(*, dtype: str = "float32", given_back: bool = False, twice: bool = False) -> bytes:
    """Return a model of more than a megabyte: relu(x @ first + bias) @ second, and a weight as an output."""
    draw = np.random.default_rng(0)
    weights = {
        "first": draw.normal(size=(WIDTH, WIDTH)).astype(dtype),
        "second": draw.normal(size=(WIDTH, WIDTH)).astype(dtype),
        "bias": draw.normal(size=WIDTH).astype(dtype),
    }
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    nodes = [
        helper.make_node("MatMul", ["x", "first"], ["a"]),
        helper.make_node("Add", ["a", "bias"], ["b"]),
        helper.make_node("Relu", ["b"], ["c"]),
        helper.make_node("MatMul", ["c", "second"], ["y"]),
    ]
    outputs = [helper.make_tensor_value_info("y", kind, ["rows", WIDTH])]
    if given_back:
        outputs.append(helper.make_tensor_value_info("first", kind, [WIDTH, WIDTH]))
    initializers = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(
        nodes,
        "dense",
        [helper.make_tensor_value_info("x", kind, ["rows", WIDTH])],
        outputs,
        initializers + initializers[:1] * twice,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def as_it_is(onnx: bytes, monkeypatch: pytest.MonkeyPatch) -> Session:
    with monkeypatch.context() as patch:
        patch.setattr(sessions, "LARGE", len(onnx) + 1)
        return Session(onnx)


def tensor(x: np.ndarray) -> Tensor:
    return Tensor.over({"float32": "FP32", "float64": "FP64"}[str(x.dtype)], x.shape, x.data)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shift", range(5))
def test_a_large_model_answers_as_its_file_does_wherever_its_weights_lie(
    shift: int, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    onnx = model(dtype=dtype)
    assert len(onnx) >= LARGE
    asked = {"x": tensor(X.astype(dtype))}
    placed = memoryview(bytes(shift) + onnx)[shift:]
    assert Session(placed).run(asked) == as_it_is(onnx, monkeypatch).run(asked)


def test_only_the_large_weights_are_lifted_and_they_are_not_copied() -> None:
    onnx = model()
    lifted = lift(memoryview(onnx), {TensorProto.FLOAT: "FP32"})
    assert lifted is not None
    assert len(lifted.rest) < len(lifted.model) < len(onnx) - 2 * WIDTH * WIDTH * 4 + 1000
    assert set(lifted.weights) == {b"first", b"second"}
    assert all(found.shape == (WIDTH, WIDTH) for found in lifted.weights.values())
    assert all(isinstance(found.data, memoryview) and found.data.obj is onnx for found in lifted.weights.values())


def test_a_weight_that_is_given_back_outlives_its_session(monkeypatch: pytest.MonkeyPatch) -> None:
    onnx = model(given_back=True)
    wanted = as_it_is(onnx, monkeypatch).run({"x": tensor(X)}, ["first"])["first"]
    found = Session(bytearray(onnx)).run({"x": tensor(X)}, ["first"])["first"]
    del onnx
    assert found == wanted


@pytest.mark.parametrize(
    ("onnx", "said"),
    [
        (model()[:-1_000_000], "cut off|not an ONNX model"),
        (b"\x3a" + bytes(LARGE), "not an ONNX model that onnxruntime opens"),
    ],
)
def test_a_damaged_file_is_refused_as_it_is(onnx: bytes, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadModel, match=said) as lifted:
        Session(onnx)
    with pytest.raises(BadModel) as plain:
        as_it_is(onnx, monkeypatch)
    assert str(lifted.value) == str(plain.value)


def test_a_weight_that_is_the_default_of_an_input_is_not_lifted() -> None:
    found = load_model_from_string(model())
    found.graph.input.append(helper.make_tensor_value_info("first", TensorProto.FLOAT, [WIDTH, WIDTH]))
    lifted = lift(memoryview(found.SerializeToString()), {TensorProto.FLOAT: "FP32"})
    assert lifted is not None
    assert set(lifted.weights) == {b"second"}


@pytest.mark.parametrize("name", ["first", "bias"])
def test_a_large_file_that_reaches_for_another_is_refused(name: str) -> None:
    found = load_model_from_string(model())
    tensor = next(one for one in found.graph.initializer if one.name == name)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    with pytest.raises(BadModel, match="one file"):
        Session(found.SerializeToString())


@pytest.mark.parametrize("data", [b"", b"\x08\x08", bytes(100), model(twice=True), model()[:-1_000_000]])
def test_where_there_is_nothing_to_lift_the_file_stays(data: bytes) -> None:
    assert lift(memoryview(data), {1: "FP32"}) is None
