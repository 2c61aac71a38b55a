from __future__ import annotations

import array
import ctypes
import gc
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from functions.core.onnx.golden_rows import check_golden
from functions.core.onnx.session import BadModel, ModelFailure, Session
from functions.core.onnx.tensor import Spec, Tensor
from tests.functions.graphs import graph, memory_of
from tests.functions.serving import golden_of, model_bytes

ROWS = Tensor.of("FP32", (2, 2), [1.0, 9.0, 9.0, 1.0])


def test_a_session_names_what_it_takes_and_gives() -> None:
    session = Session(model_bytes())
    assert session.inputs == (Spec(name="X", datatype="FP32", shape=(-1, 2)),)
    assert session.outputs == (
        Spec(name="label", datatype="INT64", shape=(-1,)),
        Spec(name="probabilities", datatype="FP32", shape=(-1, 2)),
    )


def test_a_session_answers_in_the_order_that_was_asked_for() -> None:
    outputs = Session(model_bytes()).run({"X": ROWS}, ["probabilities", "label"])
    assert list(outputs) == ["probabilities", "label"]
    assert outputs["label"] == Tensor.of("INT64", (2,), [0, 1])
    assert outputs["probabilities"].shape == (2, 2)
    assert all(type(value) is float for value in outputs["probabilities"].values())


@pytest.mark.parametrize(
    ("datatype", "values"),
    [
        ("FP32", [0.5, -2.0]),
        ("FP64", [0.1, 1e300]),
        ("FP16", [0.5, 2.0]),
        ("BF16", [0.5, 2.0]),
        ("INT8", [-128, 127]),
        ("INT16", [-(2**15), 2**15 - 1]),
        ("INT32", [-(2**31), 2**31 - 1]),
        ("INT64", [-(2**63), 2**63 - 1]),
        ("UINT8", [0, 2**8 - 1]),
        ("UINT16", [0, 2**16 - 1]),
        ("UINT32", [0, 2**32 - 1]),
        ("UINT64", [0, 2**64 - 1]),
        ("BOOL", [True, False]),
        ("BYTES", ["a", "ü"]),
    ],
)
def test_every_datatype_passes_unchanged(datatype: str, values: list[Any]) -> None:
    nodes = [helper.make_node("Identity", ["X"], ["Y"])]
    session = Session(graph(nodes, [("X", datatype, [None])], [("Y", datatype, [None])]))
    tensor = Tensor.of(datatype, (2,), values)
    assert session.run({"X": tensor}) == {"Y": tensor}
    assert session.inputs == (Spec(name="X", datatype=datatype, shape=(-1,)),)


def test_several_inputs_and_outputs_scalars_and_empty_ones() -> None:
    nodes = [
        helper.make_node("Mul", ["X", "factor"], ["scaled"]),
        helper.make_node("Shape", ["X"], ["shape"]),
        helper.make_node("Not", ["flag"], ["no"]),
    ]
    model = graph(
        nodes,
        [("X", "FP32", ["rows", 2]), ("factor", "FP32", []), ("flag", "BOOL", [])],
        [("scaled", "FP32", ["rows", 2]), ("shape", "INT64", [2]), ("no", "BOOL", [])],
    )
    session = Session(model)
    assert [(spec.name, spec.shape) for spec in session.inputs] == [("X", (-1, 2)), ("factor", ()), ("flag", ())]
    scalars = {"factor": Tensor.of("FP32", (), [2.0]), "flag": Tensor.of("BOOL", (), [True])}
    assert session.run({"X": Tensor.of("FP32", (1, 2), [1.0, 3.0]), **scalars}) == {
        "scaled": Tensor.of("FP32", (1, 2), [2.0, 6.0]),
        "shape": Tensor.of("INT64", (2,), [1, 2]),
        "no": Tensor.of("BOOL", (), [False]),
    }
    assert session.run({"X": Tensor.of("FP32", (0, 2), []), **scalars}, ["scaled", "shape"]) == {
        "scaled": Tensor.of("FP32", (0, 2), []),
        "shape": Tensor.of("INT64", (2,), [0, 2]),
    }


def test_a_sequence_or_a_map_is_refused_by_name() -> None:
    split = [helper.make_node("SplitToSequence", ["X"], ["parts"])]
    parts = helper.make_tensor_sequence_value_info("parts", TensorProto.FLOAT, None)
    classes = [helper.make_node("ZipMap", ["X"], ["classes"], domain="ai.onnx.ml", classlabels_int64s=[0, 1])]
    kind = helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, None))
    maps = helper.make_value_info("classes", helper.make_sequence_type_proto(kind))
    for nodes, output in ((split, parts), (classes, maps)):
        model = onnx.load_from_string(graph(nodes, [("X", "FP32", [None, 2])], []))
        model.graph.output.append(output)
        with pytest.raises(BadModel, match=f"the output {output.name} is a sequence; accepted: tensors"):
            Session(model.SerializeToString())


def test_a_datatype_that_is_not_served_is_refused_with_those_that_are() -> None:
    model = onnx.load_from_string(graph([helper.make_node("Identity", ["X"], ["Y"])], [("X", "FP32", [1])], []))
    model.graph.node[0].CopyFrom(helper.make_node("Cast", ["X"], ["Y"], to=TensorProto.FLOAT8E4M3FN))
    model.graph.output.append(helper.make_tensor_value_info("Y", TensorProto.FLOAT8E4M3FN, [1]))
    with pytest.raises(BadModel, match=r"the output Y has a datatype that is not served; accepted: FP32, .*BF16"):
        Session(model.SerializeToString())


def test_onnxruntimes_own_format_is_no_onnx(tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "model.ort")
    onnxruntime.InferenceSession(model_bytes(), options, providers=["CPUExecutionProvider"])
    with pytest.raises(BadModel, match="not an ONNX model"):
        Session((tmp_path / "model.ort").read_bytes())


def test_an_input_is_read_where_it_lies_and_an_answer_lies_where_it_was_computed() -> None:
    session = Session(graph([helper.make_node("Neg", ["X"], ["Y"])], [("X", "FP32", [None])], [("Y", "FP32", [None])]))
    memory = array.array("f", [1.0, 2.0])
    tensor = Tensor.over("FP32", (2,), memory)
    memory[0] = 5.0
    answer = session.run({"X": tensor})["Y"]
    assert answer.values() == (-5.0, -2.0)
    assert isinstance(answer.data, memoryview)
    assert answer.data.readonly
    assert isinstance(answer.data.obj, ctypes.Array)


@pytest.mark.parametrize("datatype", ["FP64", "INT16"])
def test_an_input_may_lie_anywhere(datatype: str) -> None:
    """A tensor of a binary body begins wherever the one before it ended."""
    session = Session(graph([helper.make_node("Neg", ["X"], ["Y"])], [("X", datatype, [2])], [("Y", datatype, [2])]))
    body = b"x" + bytes(memory_of(Tensor.of(datatype, (2,), [1, 2]))) + b"x"
    assert session.run({"X": Tensor.over(datatype, (2,), memoryview(body)[1:-1])})["Y"].values() == (-1, -2)


def test_an_answer_outlives_its_session_and_the_input_that_it_is() -> None:
    weight = numpy_helper.from_array(np.arange(100, dtype=np.float32), "W")
    nodes = [helper.make_node("Neg", ["X"], ["Y"])]
    model = graph(
        nodes, [("X", "FP32", [None])], [("Y", "FP32", [None]), ("X", "FP32", [None]), ("W", "FP32", [100])], [weight]
    )
    content = np.arange(1000, dtype=np.float32)
    answers = Session(model).run({"X": Tensor.over("FP32", (1000,), bytearray(content.tobytes()))})
    gc.collect()
    other = [bytes([255]) * 4000 for _ in range(1000)]
    assert answers["X"].values() == tuple(content)
    assert answers["Y"].values() == tuple(-content)
    assert answers["W"].values() == tuple(range(100))
    assert len(other) == 1000


def test_one_session_answers_many_threads_at_once() -> None:
    session = Session(model_bytes())
    expected = {n: session.run({"X": Tensor.of("FP32", (1, 2), [float(n % 7), 3.0])}) for n in range(200)}
    with ThreadPoolExecutor(8) as pool:
        outputs = pool.map(lambda n: session.run({"X": Tensor.of("FP32", (1, 2), [float(n % 7), 3.0])}), range(200))
        assert dict(enumerate(outputs)) == expected


def test_sessions_are_opened_and_let_go_by_many_threads_at_once() -> None:
    def one(n: int) -> bytes:
        model = model_bytes(slope=1.0 + n % 3)
        return bytes(memory_of(Session(model, threads=1 + n % 2).run({"X": ROWS})["probabilities"]))

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(one, range(64)))) == 3


@pytest.mark.parametrize("damaged", [b"", b"not a model", model_bytes()[:-40], model_bytes()[:100]])
def test_a_damaged_file_is_no_model(damaged: bytes) -> None:
    with pytest.raises(BadModel):
        Session(damaged)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_whatever_bytes_come_they_are_a_bad_model_and_nothing_worse(junk: bytes) -> None:
    with pytest.raises(BadModel):
        Session(b"location" + junk)


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
