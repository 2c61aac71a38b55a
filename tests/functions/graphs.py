"""ONNX models built for tests, real ones, and the oracle: onnxruntime's own Python binding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

from functions.core.onnx.tensor import Tensor
from tests.root import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SAMPLES = ROOT / ".local" / "samples"
MAGIKA = SAMPLES / "magika/models/standard_v3_3/model.onnx"
SILERO = SAMPLES / "silero_vad/data"
KINDS = {
    "BOOL": TensorProto.BOOL, "FP16": TensorProto.FLOAT16, "FP32": TensorProto.FLOAT, "FP64": TensorProto.DOUBLE,
    "BF16": TensorProto.BFLOAT16, "BYTES": TensorProto.STRING,
    **{f"{kind}{bits}": getattr(TensorProto, f"{kind}{bits}") for kind in ("INT", "UINT") for bits in (8, 16, 32, 64)},
}  # fmt: skip
DTYPES: dict[str, Any] = {
    name: helper.tensor_dtype_to_np_dtype(kind) for name, kind in KINDS.items() if name != "BYTES"
}

PEAK = """
def peak():
    # In a child, the maximum that getrusage reports begins with that of its parent.
    if sys.platform == "linux":
        return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
"""
"""Source of a function for test programs that import resource and sys: the peak memory in bytes."""

Value = tuple[str, str, Any]
"""Name, datatype, and shape: numbers, names of any length, or None for any shape at all."""


def endless(values: str, result: str, until: str) -> list[Any]:
    """Return the nodes of a loop of 2^60 turns that gives its `values`; none of them where the scalar `until` is 0."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["going"], ["on"]), helper.make_node("Abs", ["one"], ["other"])],
        "turn",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("one", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("other", TensorProto.FLOAT, None),
        ],
    )
    turns = helper.make_tensor("turns", TensorProto.INT64, [], [2**60])
    return [
        helper.make_node("Constant", [], ["turns"], value=turns),
        helper.make_node("Cast", [until], ["begun"], to=TensorProto.BOOL),
        helper.make_node("Loop", ["turns", "begun", values], [result], body=body),
    ]


def graph(
    nodes: Sequence[Any],
    takes: Sequence[Value],
    gives: Sequence[Value],
    weights: Sequence[Any] = (),
) -> bytes:
    """Return a model of these nodes. `takes` and `gives` are its inputs and outputs."""
    model = helper.make_model(
        helper.make_graph(
            list(nodes),
            "made",
            [helper.make_tensor_value_info(name, KINDS[kind], shape) for name, kind, shape in takes],
            [helper.make_tensor_value_info(name, KINDS[kind], shape) for name, kind, shape in gives],
            list(weights),
        ),
        opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 3)],
        ir_version=10,
    )
    return model.SerializeToString()


def oracle(model: bytes, feed: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the outputs that the Python binding computes."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, map(np.asarray, session.run(names, dict(feed))), strict=True))


def tensor(array: np.ndarray) -> Tensor:
    """Return a tensor with the same values."""
    if array.dtype.kind in "OUS":
        return Tensor.of("BYTES", array.shape, array.ravel().tolist())
    datatype = next(name for name, dtype in DTYPES.items() if dtype == array.dtype)
    return Tensor.over(datatype, array.shape, array.tobytes())


def memory_of(tensor: Tensor) -> memoryview:
    """Return the bytes of a tensor that is not BYTES."""
    assert isinstance(tensor.data, memoryview)
    return tensor.data
