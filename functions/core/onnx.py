"""The one place that speaks to onnxruntime. Nothing else imports it, or numpy on its behalf."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

from functions.core.external import refuse_external_data
from functions.core.tensor import Spec, Tensor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TYPES = {
    "tensor(float16)": ("FP16", np.float16),
    "tensor(float)": ("FP32", np.float32),
    "tensor(double)": ("FP64", np.float64),
    "tensor(bool)": ("BOOL", np.bool_),
    "tensor(string)": ("BYTES", np.object_),
    **{f"tensor({kind}{bits})": (f"{kind}{bits}".upper(), np.dtype(f"{kind}{bits}").type)
       for kind in ("int", "uint") for bits in (8, 16, 32, 64)},
}  # fmt: skip
_DTYPES = dict(_TYPES.values())


class BadModel(ValueError):
    """A file that cannot be served: not ONNX, damaged, or of a kind that is refused."""


class ModelFailure(RuntimeError):
    """A model that failed on an input of the right names, types and shapes."""


class Session:
    """A model, ready to answer, on one thread. Raises `BadModel` when it cannot be opened."""

    inputs: tuple[Spec, ...]
    outputs: tuple[Spec, ...]

    def __init__(self, model: bytes) -> None:
        try:
            refuse_external_data(model)
        except ValueError as problem:
            raise BadModel(str(problem)) from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as problem:  # a dozen classes of onnxruntime's own, which share no other base
            raise BadModel(f"the file is not an ONNX model that onnxruntime opens: {_first_line(problem)}") from None
        self.inputs = tuple(_spec(node) for node in self._session.get_inputs())
        self.outputs = tuple(_spec(node) for node in self._session.get_outputs())

    def run(self, inputs: Mapping[str, Tensor], outputs: Sequence[str] | None = None) -> dict[str, Tensor]:
        """The named outputs, or all of them. Raises `ModelFailure`."""
        names = list(outputs) if outputs is not None else [spec.name for spec in self.outputs]
        try:
            feed = {name: _array(tensor) for name, tensor in inputs.items()}
            found = [np.asarray(value) for value in self._session.run(names, feed)]
        except Exception as problem:
            raise ModelFailure(_first_line(problem)) from None
        datatypes = {spec.name: spec.datatype for spec in self.outputs}
        return {name: _tensor(datatypes[name], array) for name, array in zip(names, found, strict=True)}


def check_golden(session: Session, golden: Mapping[str, Any], output: str = "probabilities") -> None:
    """Compare the answers to a version's golden inputs with those it gave when it was made; null stands for NaN.

    Raises `BadModel` on the first row that differs by more than the golden tolerance.
    """
    rows = [[math.nan if value is None else value for value in row] for row in golden["inputs"]]
    spec = session.inputs[0]
    tensor = Tensor.of(spec.datatype, (len(rows), len(rows[0])), [value for row in rows for value in row])
    try:
        answer = session.run({spec.name: tensor}, [output])[output]
    except ModelFailure as problem:
        raise BadModel(f"the model fails on its golden inputs: {problem}") from None
    expected = golden["probabilities"]
    found = np.asarray(answer.values(), dtype=np.float64).reshape(answer.shape)
    if found.shape != np.shape(expected):
        raise BadModel(f"golden answers have the shape {list(np.shape(expected))}, the model gives {list(found.shape)}")
    distance = np.abs(found - np.asarray(expected, dtype=np.float64)).max(axis=1)
    for row in np.flatnonzero(~(distance <= golden["tolerance"])):
        raise BadModel(f"golden row {row} differs by {distance[row]:.2g}; at most {golden['tolerance']:g} is accepted")


def _spec(node: Any) -> Spec:
    if node.type not in _TYPES:
        raise BadModel(f"{node.name} is a {node.type}; accepted: {', '.join(_TYPES)}")
    shape = tuple(length if isinstance(length, int) and length >= 0 else -1 for length in node.shape)
    return Spec(name=node.name, datatype=_TYPES[node.type][0], shape=shape)


def _array(tensor: Tensor) -> np.ndarray:
    if isinstance(tensor.data, list):
        return np.asarray(tensor.values(), dtype=np.object_).reshape(tensor.shape)
    return np.frombuffer(tensor.data, dtype=_DTYPES[tensor.datatype]).reshape(tensor.shape)


def _tensor(datatype: str, array: np.ndarray) -> Tensor:
    if datatype == "BYTES":
        return Tensor.of(datatype, array.shape, array.ravel().tolist())
    return Tensor.over(datatype, array.shape, np.ascontiguousarray(array).data)


def _first_line(problem: Exception) -> str:
    return str(problem).strip().split("\n", 1)[0][:300]
