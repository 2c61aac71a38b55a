"""Open, describe and run the sessions of onnxruntime's C library."""

from __future__ import annotations

from ctypes import byref, c_char_p, c_int, c_int64, c_size_t, c_void_p, string_at

from functions.core.onnx import library as ort
from functions.core.onnx.c_values import CODE_OF, DATATYPE_OF, lend, take
from functions.core.onnx.external_data import check_external_data
from functions.core.onnx.tensor import Spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from ctypes import Array
    from typing import Any, Literal

    from functions.core.onnx.tensor import Tensor

    Side = Literal["Input", "Output"]

_KINDS = ("value of unknown kind", "tensor", "sequence", "map", "opaque value", "sparse tensor", "optional value")
"""ONNXType"""
_TENSOR = 1
_MOST_NAMES = 64
_names: dict[tuple[str, ...], Array[c_char_p]] = {}


def open_session(library: ort.Library, model: Any, *, threads: int) -> ort.Session:
    """Open a model from memory. Raises `ort.Failure`, and `ValueError` for a model whose weights lie in other files."""
    check_external_data(model)
    options, session, buffer = ort.SessionOptions(), ort.Session(), ort.Buffer(model)
    library.CreateSessionOptions(byref(options))
    library.SetSessionLogSeverityLevel(options, ort.FATAL)
    library.SetIntraOpNumThreads(options, threads)
    library.SetInterOpNumThreads(options, 1)
    # Without this, bytes marked as onnxruntime's own format would be read as such, past all of our checks.
    library.AddSessionConfigEntry(options, b"session.load_model_format", b"ONNX")
    library.CreateSessionFromArray(library.env, buffer.address, buffer.size, options, byref(session))
    return session


def specs(library: ort.Library, session: ort.Session, side: Side) -> Iterator[Spec]:
    """Yield name, datatype and shape of every input or output (`SessionGetInputTypeInfo`).

    Raises `ValueError` for one that is not a tensor, or of a datatype that is not served.
    """
    count = c_size_t()
    getattr(library, f"SessionGet{side}Count")(session, byref(count))
    for index in range(count.value):
        name = _name(library, session, side, index)
        info = ort.TypeInfo()
        getattr(library, f"SessionGet{side}TypeInfo")(session, index, byref(info))
        kind, code, shape = _type(library, info)
        if kind != _TENSOR:
            raise ValueError(f"the {side.lower()} {name} is a {_KINDS[kind]}; accepted: tensors")
        if code not in DATATYPE_OF:
            raise ValueError(
                f"the {side.lower()} {name} has a datatype that is not served; accepted: {', '.join(CODE_OF)}"
            )
        yield Spec(name=name, datatype=DATATYPE_OF[code], shape=shape)


def run_session(
    library: ort.Library, session: ort.Session, inputs: Mapping[str, Tensor], names: tuple[str, ...]
) -> dict[str, Tensor]:
    """Compute the named outputs (`Run`). Raises `ort.Failure`."""
    values, buffers = [], []
    for tensor in inputs.values():
        value, buffer = lend(library, tensor)
        values.append(value)
        buffers.append(buffer)
    input_pointers = ort.array(c_void_p, len(values))(*[value.value for value in values])
    output_pointers = ort.array(c_void_p, len(names))()
    library.Run(
        session,
        None,
        _encoded(tuple(inputs)),
        input_pointers,
        len(values),
        _encoded(names),
        len(names),
        output_pointers,
    )
    outputs = [ort.Value(pointer) for pointer in output_pointers]
    # An output can share the memory of an input or of a weight, so it keeps both alive.
    owner = (session, buffers)
    return {name: take(library, value, owner) for name, value in zip(names, outputs, strict=True)}


def _encoded(names: tuple[str, ...]) -> Array[c_char_p]:
    encoded = _names.get(names)
    if encoded is None:
        if len(_names) >= _MOST_NAMES:
            _names.clear()
        encoded = _names[names] = ort.array(c_char_p, len(names))(*[name.encode() for name in names])
    return encoded


def _name(library: ort.Library, session: ort.Session, side: Side, index: int) -> str:
    pointer = c_void_p()
    getattr(library, f"SessionGet{side}Name")(session, index, library.allocator, byref(pointer))
    try:
        return string_at(pointer).decode()
    finally:
        library.AllocatorFree(library.allocator, pointer)


def _type(library: ort.Library, info: ort.TypeInfo) -> tuple[int, int, tuple[int, ...]]:
    """Return the ONNXType, the element type and the shape; -1 is any length, and only tensors have the last two."""
    kind, tensor, code, rank = c_int(), c_void_p(), c_int(), c_size_t()
    library.GetOnnxTypeFromTypeInfo(info, byref(kind))
    if kind.value != _TENSOR:
        return kind.value, 0, ()
    library.CastTypeInfoToTensorInfo(info, byref(tensor))
    library.GetTensorElementType(tensor, byref(code))
    library.GetDimensionsCount(tensor, byref(rank))
    shape = (c_int64 * rank.value)()
    library.GetDimensions(tensor, shape, rank)
    return kind.value, code.value, tuple(shape)
