"""The ONNX file that a model's own `export` returns: whether its tensors are those of `signature.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.training.graph_edits import unzip_probabilities
from functions.core.training.signature import INPUT, PROBABILITIES
from functions.core.training.unusable import UnusableEstimator

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from onnx import ValueInfoProto

NUMBERS = frozenset({"FLOAT", "DOUBLE", "FLOAT16"})
WHOLE = frozenset({"INT64", "INT32"})


class Tensor(NamedTuple):
    """What an output must be."""

    kinds: frozenset[str]
    width: int | None
    """Of each row; None: one value without an axis of its own."""

    def __str__(self) -> str:
        kind = "INT64" if self.kinds is WHOLE else "FLOAT"
        return f"{kind} [rows]" if self.width is None else f"{kind} [rows, {self.width}]"


def checked(returned: Any, width: int, outputs: Mapping[str, Tensor]) -> bytes:
    """Return the file that `export` returned, for rows of `width` features.

    Raise `UnusableEstimator` for what is no bytes, and for a file whose tensors have other names, types or sizes. What
    is no ONNX file at all the select step refuses.
    """
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - most models have no export of their own
    from onnx import ModelProto  # noqa: PLC0415

    if not isinstance(returned, bytes):
        kind = type(returned).__name__
        raise UnusableEstimator(f"export returns {kind}; accepted: bytes, as of model.SerializeToString()")
    try:
        model = ModelProto.FromString(returned)
    except DecodeError:
        return returned
    graph = model.graph
    if not graph.node:
        return returned
    if (probabilities := outputs.get(PROBABILITIES)) is not None and probabilities.width is not None:
        unzip_probabilities(graph, probabilities.width)
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    given = {value.name: value for value in graph.output}
    fits = (
        [value.name for value in inputs] == [INPUT]
        and _is(inputs[0], NUMBERS, width)
        and outputs.keys() <= given.keys()
        and all(_is(given[name], tensor.kinds, tensor.width) for name, tensor in outputs.items())
    )
    if not fits:
        found = f"takes {_told(inputs)} and gives {_told(graph.output)}"
        wanted = " and ".join(f"{name} {tensor}" for name, tensor in outputs.items())
        outlets = f"the output{'s' if len(outputs) > 1 else ''} {wanted}"
        accepted = f"accepted: the input {INPUT} FLOAT [rows, {width}], and {outlets}"
        raise UnusableEstimator(f"the file of export {found}; {accepted}")
    return model.SerializeToString(deterministic=True)


def _is(value: ValueInfoProto, types: frozenset[str], width: int | None) -> bool:
    """Return whether a value is a tensor of one of these types, and of this width where it states one."""
    tensor = value.type.tensor_type
    if value.type.WhichOneof("value") != "tensor_type" or _type(value) not in types:
        return False
    sizes = tensor.shape.dim
    return width is None or len(sizes) < 2 or not sizes[-1].HasField("dim_value") or sizes[-1].dim_value == width


def _told(values: Iterable[ValueInfoProto]) -> str:
    return ", ".join(f"{value.name} {_type(value)}{_shape(value)}" for value in values) or "nothing"


def _type(value: ValueInfoProto) -> str:
    from onnx import TensorProto  # noqa: PLC0415 - as above

    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        return f"as a {str(kind).removesuffix('_type')}"
    return TensorProto.DataType.Name(value.type.tensor_type.elem_type)


def _shape(value: ValueInfoProto) -> str:
    if value.type.WhichOneof("value") != "tensor_type":
        return ""
    sizes = [str(size.dim_value) if size.HasField("dim_value") else "rows" for size in value.type.tensor_type.shape.dim]
    return f" [{', '.join(sizes)}]" if sizes else ""
