"""ONNX models, opened and run by onnxruntime's C library. Tensors go in and come out without a copy.

The library holds a tensor as an `OrtValue`, over memory that is lent both ways.
"""

from __future__ import annotations

import math
from ctypes import (
    addressof,
    byref,
    c_char_p,
    c_int,
    c_int64,
    c_size_t,
    c_ubyte,
    c_void_p,
    string_at,
)

from functions.core.onnx import library as ort
from functions.core.onnx.deadline import guard
from functions.core.onnx.external_data import check_external_data
from functions.core.onnx.tensor import SIZES, Spec, Tensor
from functions.core.onnx.texts import read_texts, write_texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from ctypes import Array
    from typing import Any, Literal

    from functions.core.onnx.tensor import Memory
    from functions.core.onnx.weights import Lifted

    Side = Literal["Input", "Output", "OverridableInitializer"]

_KINDS = ("value of unknown kind", "tensor", "sequence", "map", "opaque value", "sparse tensor", "optional value")
"""ONNXType"""
LARGE = 1_000_000
"""Bytes of a file whose weights are used where they lie; below, opening it as it is takes no longer."""
_TENSOR = 1
_MOST_NAMES = 64
_TOO_LONG = "it had not ended when its time was over"
_names: dict[tuple[str, ...], Array[c_char_p]] = {}
_CODE_OF = {
    "FP32": 1, "UINT8": 2, "INT8": 3, "UINT16": 4, "INT16": 5, "INT32": 6, "INT64": 7, "BYTES": 8, "BOOL": 9,
    "FP16": 10, "FP64": 11, "UINT32": 12, "UINT64": 13, "BF16": 16,
}  # fmt: skip
"""ONNXTensorElementDataType"""
_Layout = c_int64 * 4
"""Element type, address of the lengths, their count, and address of the values."""
_DATATYPE_OF = {code: datatype for datatype, code in _CODE_OF.items()}


class BadModel(ValueError):
    """A file that cannot be served: not ONNX, damaged, or of a kind that is refused."""


class ModelFailure(RuntimeError):
    """A model that failed on an input of the right names, types and shapes."""


class RunStopped(ModelFailure):
    """A model that was still running when its time was over."""


class Session:
    """A model, ready to answer, also from several threads at once."""

    inputs: tuple[Spec, ...]
    """Those that a run needs."""
    optional: tuple[Spec, ...]
    """Those that a run may have: inputs with a value in the file."""
    outputs: tuple[Spec, ...]

    def __init__(self, model: Memory, *, threads: int = 1) -> None:
        """Open the bytes of an ONNX file (`CreateSessionFromArray`). One answer is computed by `threads` threads.

        Raises `BadModel` when the file cannot be opened, reaches for files that are not its own, or
        takes or gives something else than tensors.
        """
        self._library = library = ort.library()
        try:
            self._session, self._weights = _open(library, model, threads=threads)
            self.inputs = tuple(_specs(library, self._session, "Input"))
            self.optional = tuple(_specs(library, self._session, "OverridableInitializer"))
            self.outputs = tuple(_specs(library, self._session, "Output"))
        except ValueError as problem:
            raise BadModel(str(problem)) from None
        except ort.Failure as problem:
            raise BadModel(f"the file is not an ONNX model that onnxruntime opens: {problem}") from None
        self._names = tuple(spec.name for spec in self.outputs)

    def run(self, inputs: Mapping[str, Tensor], outputs: Sequence[str] | None = None) -> dict[str, Tensor]:
        """The named outputs, or all of them (`Run`), in memory of their own that can be read and not written.

        Raises `ModelFailure` with onnxruntime's own message, `RunStopped` when its time is over: `deadline.Within`.
        """
        names = self._names if outputs is None else tuple(outputs)
        try:
            return _run(self._library, (self._session, self._weights), inputs, names)
        except ort.Failure as problem:
            raise ModelFailure(str(problem)) from None

    def symbols(self) -> dict[str, tuple[str, ...]]:
        """Return the names of the lengths of every input (`GetSymbolicDimensions`); "" for one that has none."""
        return {
            spec.name: _symbols(self._library, self._session, index, len(spec.shape or ()))
            for index, spec in enumerate(self.inputs)
        }


def _open(library: ort.Library, model: Any, *, threads: int) -> tuple[ort.Session, object]:
    """Open a model in memory, and return what it reads besides and does not own.

    Raises `ort.Failure`, and `ValueError` for a file that reaches for others.
    """
    lifted = None
    if len(model) >= LARGE:
        from functions.core.onnx.weights import lift  # noqa: PLC0415 - small files are opened as they are

        lifted = lift(memoryview(model).cast("B"), _DATATYPE_OF)
    check_external_data(model if lifted is None else lifted.rest)
    if lifted is not None:
        try:
            return _open_lifted(library, lifted, threads=threads)
        except ort.Failure:
            pass  # the file itself is what counts, and says what is wrong with it
    held, session = ort.Buffer(model), ort.Session()
    library.CreateSessionFromArray(library.env, held.address, held.size, _options(library, threads), byref(session))
    return session, None


def _open_lifted(library: ort.Library, lifted: Lifted, *, threads: int) -> tuple[ort.Session, object]:
    """Open a model whose weights stay where they are (`AddExternalInitializers`). Raises `ort.Failure`."""
    options, session = _options(library, threads), ort.Session()
    lent = [_lend(library, tensor) for tensor in lifted.weights.values()]
    names = ort.array(c_char_p, len(lent))(*lifted.weights)
    values = ort.array(c_void_p, len(lent))(*[value.value for value, _ in lent])
    library.AddExternalInitializers(options, names, values, len(lent))
    held = ort.Buffer(lifted.model)
    library.CreateSessionFromArray(library.env, held.address, held.size, options, byref(session))
    return session, lent


def _options(library: ort.Library, threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    library.CreateSessionOptions(byref(options))
    library.SetSessionLogSeverityLevel(options, ort.FATAL)
    library.SetIntraOpNumThreads(options, threads)
    library.SetInterOpNumThreads(options, 1)
    # Bytes that say they are onnxruntime's own format would be taken for it, past every check of ours.
    library.AddSessionConfigEntry(options, b"session.load_model_format", b"ONNX")
    return options


def _specs(library: ort.Library, session: ort.Session, side: Side) -> Iterator[Spec]:
    """Name, datatype and shape of every input or output (`SessionGetInputTypeInfo`). Raises `ValueError`."""
    count, optional = c_size_t(), side == "OverridableInitializer"
    getattr(library, f"SessionGet{side}Count")(session, byref(count))
    for index in range(count.value):
        name, called = _name(library, session, side, index), "input" if optional else side.lower()
        info = ort.TypeInfo()
        getattr(library, f"SessionGet{side}TypeInfo")(session, index, byref(info))
        kind, code, shape = _type(library, info)
        if kind != _TENSOR:
            raise ValueError(f"the {called} {name} is a {_KINDS[kind]}; accepted: tensors")
        if code not in _DATATYPE_OF:
            raise ValueError(f"the {called} {name} has a datatype that is not served; accepted: {', '.join(_CODE_OF)}")
        yield Spec(name=name, datatype=_DATATYPE_OF[code], shape=shape, optional=optional)


def _symbols(library: ort.Library, session: ort.Session, index: int, rank: int) -> tuple[str, ...]:
    info, tensor = ort.TypeInfo(), c_void_p()
    library.SessionGetInputTypeInfo(session, index, byref(info))
    library.CastTypeInfoToTensorInfo(info, byref(tensor))
    names = (c_char_p * rank)()
    library.GetSymbolicDimensions(tensor, names, rank)
    return tuple((name or b"").decode("utf-8", "replace") for name in names)


def _run(
    library: ort.Library, opened: tuple[ort.Session, object], inputs: Mapping[str, Tensor], names: tuple[str, ...]
) -> dict[str, Tensor]:
    """The named outputs (`Run`) of a session, by what `_open` returned. Raises `ort.Failure`, and `RunStopped`."""
    session = opened[0]
    values, memory = [], []
    for tensor in inputs.values():
        value, held = _lend(library, tensor)
        values.append(value)
        memory.append(held)
    inputs_of_run = ort.array(c_void_p, len(values))(*[value.value for value in values])
    outputs_of_run = ort.array(c_void_p, len(names))()
    takes, gives, own = _encoded(tuple(inputs)), _encoded(names), guard(library, _run_options)
    if not own.begin():
        raise RunStopped(_TOO_LONG)
    try:
        library.Run(session, own.options, takes, inputs_of_run, len(values), gives, len(names), outputs_of_run)
    except BaseException as problem:
        if own.end() and isinstance(problem, ort.Failure):
            raise RunStopped(_TOO_LONG) from None
        raise
    own.end()
    outputs = [ort.Value(pointer) for pointer in outputs_of_run]
    # An output can be an input as it is, or a weight: whoever holds it holds those too.
    owner = (opened, memory)
    return {name: _take(library, value, owner) for name, value in zip(names, outputs, strict=True)}


def _run_options(library: ort.Library) -> ort.RunOptions:
    library.CreateRunOptions(byref(options := ort.RunOptions()))
    return options


def _encoded(names: tuple[str, ...]) -> Array[c_char_p]:
    """The names as C strings. The last ones are kept: they are the same for every request."""
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


def _type(library: ort.Library, info: ort.TypeInfo) -> tuple[int, int, tuple[int, ...] | None]:
    """ONNXType, and of a tensor its element type and lengths; -1 is any, None a shape that the file does not tell."""
    kind, tensor, code, rank = c_int(), c_void_p(), c_int(), c_size_t()
    library.GetOnnxTypeFromTypeInfo(info, byref(kind))
    if kind.value != _TENSOR:
        return kind.value, 0, ()
    library.CastTypeInfoToTensorInfo(info, byref(tensor))
    library.GetTensorElementType(tensor, byref(code))
    library.GetDimensionsCount(tensor, byref(rank))
    shape = (c_int64 * rank.value)()
    library.GetDimensions(tensor, shape, rank)
    known = rank.value or library.has_shape(tensor)
    return kind.value, code.value, tuple(shape) if known else None


def _lend(library: ort.Library, tensor: Tensor) -> tuple[ort.Value, object]:
    """A value over the tensor's own memory (`CreateTensorWithDataAsOrtValue`), and what to hold as long as it is used.

    What does not lie where its datatype may lie is copied, as BYTES are. Raises `ort.Failure`.
    """
    value, rank = ort.Value(), len(tensor.shape)
    shape = ort.array(c_int64, rank)(*tensor.shape)
    code = _CODE_OF[tensor.datatype]
    if isinstance(tensor.data, list):
        library.CreateTensorAsOrtValue(library.allocator, shape, rank, code, byref(value))
        write_texts(library, value, tensor.data)
        return value, None
    address, held = ort.address_of(tensor.data)
    if address % SIZES[tensor.datatype]:
        address, held = ort.address_of(memoryview(bytes(tensor.data)))
    create, size = library.CreateTensorWithDataAsOrtValue, tensor.data.nbytes
    if status := create(library.cpu, address, size, shape, rank, code, byref(value)):
        library.check(status)
    return value, held


def _take(library: ort.Library, value: ort.Value, owner: object) -> Tensor:
    """The tensor in a value, over the value's own memory (`GetTensorMutableData`), which can be read and not written.

    It holds the value and `owner`. Raises `ort.Failure`.
    """
    layout, pointer = _Layout(), value.value
    address = addressof(layout)
    if status := library.GetTensorElementTypeAndShapeDataReference(pointer, address, address + 8, address + 16):
        library.check(status)
    code, lengths, rank, _ = layout
    shape = tuple(ort.array(c_int64, rank).from_address(lengths)[:]) if rank else ()
    datatype, count = _DATATYPE_OF[code], math.prod(shape)
    if datatype == "BYTES":
        return Tensor(datatype=datatype, shape=shape, data=read_texts(library, value, count))
    if not count:
        return Tensor(datatype=datatype, shape=shape, data=memoryview(b""))
    if status := library.GetTensorMutableData(pointer, address + 24):
        library.check(status)
    memory: Any = ort.array(c_ubyte, count * SIZES[datatype]).from_address(layout[3])
    memory.owner = (owner, value)
    return Tensor(datatype=datatype, shape=shape, data=memoryview(memory).cast("B").toreadonly())
