"""The binding against onnxruntime's own: the same bits out of it, and a refusal where that one refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from onnx import TensorProto, helper, numpy_helper

from functions.core.onnx.session import BadModel, ModelFailure, Session
from functions.core.onnx.tensor import Tensor
from tests.functions.graphs import DTYPES, KINDS, MAGIKA, SILERO, graph, oracle, tensor

OPERATORS = (
    "Identity",
    "Abs",
    "Neg",
    "Add",
    "Transpose",
    "Flatten",
    "Concat",
    "Gather",
    "MatMul",
    "ReduceSum",
    "Shape",
)


@st.composite
def chains(draw: st.DrawFn) -> tuple[bytes, dict[str, np.ndarray]]:
    """A model of a few operators over one datatype and another that it is cast to, and an input for it."""
    datatype = draw(st.sampled_from(sorted(set(DTYPES) - {"BF16"})))
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    content = draw(hnp.arrays(DTYPES[datatype], shape))
    target = draw(st.sampled_from(sorted(set(DTYPES) - {"BF16"})))
    nodes, last = [], "X"
    for index, operator in enumerate(draw(st.lists(st.sampled_from(OPERATORS), min_size=1, max_size=4))):
        takes = {"Add": [last, last], "Concat": [last, last], "Gather": [last, "zero"], "MatMul": [last, last]}
        facts: dict[str, Any] = {"axis": 0} if operator in ("Flatten", "Concat") else {}
        nodes.append(helper.make_node(operator, takes.get(operator, [last]), [f"t{index}"], **facts))
        last = f"t{index}"
    nodes.append(helper.make_node("Cast", ["X"], ["cast"], to=KINDS[target]))
    symbols = [f"d{axis}" for axis in range(len(shape))]
    weights = [numpy_helper.from_array(np.array(0, dtype=np.int64), "zero")]
    gives = "INT64" if any(node.op_type == "Shape" for node in nodes) else datatype
    model = graph(nodes, [("X", datatype, symbols)], [(last, gives, None), ("cast", target, None)], weights)
    return model, {"X": content}


def refused(model: bytes, feed: dict[str, np.ndarray]) -> None:
    tensors = {name: tensor(array) for name, array in feed.items()}
    try:
        session = Session(model)
    except BadModel:
        return
    with pytest.raises(ModelFailure):
        session.run(tensors)


def check(model: bytes, feed: dict[str, np.ndarray]) -> None:
    try:
        expected = oracle(model, feed)
    except Exception:  # a dozen classes of onnxruntime's own, which share no other base
        refused(model, feed)
        return
    outputs = Session(model).run({name: tensor(array) for name, array in feed.items()})
    assert outputs == {name: tensor(array) for name, array in expected.items()}


@settings(max_examples=300, deadline=None)
@given(chains())
def test_a_model_answers_bit_by_bit_what_it_answers_to_the_python_binding(chain: Any) -> None:
    check(*chain)


@settings(deadline=None)
@given(hnp.arrays(np.uint16, hnp.array_shapes(min_dims=0, max_dims=2, min_side=0)))
def test_bf16_passes_through_unchanged_and_becomes_the_same_fp32(bits: np.ndarray) -> None:
    nodes = [helper.make_node("Identity", ["X"], ["Y"]), helper.make_node("Cast", ["X"], ["Z"], to=TensorProto.FLOAT)]
    shape = [None] * bits.ndim
    model = graph(nodes, [("X", "BF16", shape)], [("Y", "BF16", shape), ("Z", "FP32", shape)])
    tensor_in = Tensor.over("BF16", bits.shape, bits.tobytes())
    outputs = Session(model).run({"X": tensor_in})
    assert outputs["Y"] == tensor_in
    number = ~np.isnan(np.array(tensor_in.values(), dtype=np.float64))
    assert np.array_equal(np.array(outputs["Z"].values())[number], np.array(tensor_in.values())[number])


@settings(deadline=None)
@given(hnp.arrays(np.object_, hnp.array_shapes(min_dims=0, max_dims=2, min_side=0), elements=st.text(max_size=9)))
def test_text_comes_back_as_it_went_in(texts: np.ndarray) -> None:
    nodes = [helper.make_node("Identity", ["X"], ["Y"]), helper.make_node("Flatten", ["X"], ["Z"], axis=0)]
    shape = [None] * texts.ndim
    model = graph(nodes, [("X", "BYTES", shape)], [("Y", "BYTES", None), ("Z", "BYTES", None)])
    check(model, {"X": texts})
    assert Session(model).run({"X": tensor(texts)})["Y"] == tensor(texts)


def test_text_may_hold_any_bytes() -> None:
    model = graph([helper.make_node("Identity", ["X"], ["Y"])], [("X", "BYTES", [None])], [("Y", "BYTES", [None])])
    texts = Tensor.of("BYTES", (4,), [b"a\0b", b"\xff\xfe", b"", b"x" * 5000])
    assert Session(model).run({"X": texts})["Y"] == texts


@pytest.mark.parametrize("rows", [1, 7])
def test_magika_answers_the_same(rows: int) -> None:
    content = np.random.default_rng(rows).integers(0, 257, (rows, 2048), dtype=np.int32)
    check(MAGIKA.read_bytes(), {"bytes": content})


@pytest.mark.parametrize("name", ["silero_vad", "silero_vad_half", "silero_vad_op18_ifless", "silero_vad_16k_sequence"])
def test_silero_answers_the_same(name: str) -> None:
    """Branches, a recurrence, half precision, several inputs and outputs, and a scalar among them."""
    sound = np.random.default_rng(3).standard_normal((1, 576)).astype(np.float32)
    state, rate = np.zeros((2, 1, 128), dtype=np.float32), np.array(16000, dtype=np.int64)
    memory = {"h": state[:1], "c": state[:1]}
    feeds: dict[str, dict[str, np.ndarray]] = {
        "silero_vad_half": {"input": sound, "state": state},
        "silero_vad_16k_sequence": {"input": np.repeat(sound, 3, axis=0), **memory},
    }
    check((SILERO / f"{name}.onnx").read_bytes(), feeds.get(name, {"input": sound, "state": state, "sr": rate}))
