"""Tensors as values of onnxruntime's C library (`OrtValue`), which share memory with Python and copy none."""

from __future__ import annotations

import math
from ctypes import addressof, byref, c_int64, c_size_t, c_ubyte, c_void_p, create_string_buffer, memmove
from itertools import pairwise

from functions.core.onnx import library as ort
from functions.core.onnx.tensor import SIZES, Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CODE_OF = {
    "FP32": 1, "UINT8": 2, "INT8": 3, "UINT16": 4, "INT16": 5, "INT32": 6, "INT64": 7, "BYTES": 8, "BOOL": 9,
    "FP16": 10, "FP64": 11, "UINT32": 12, "UINT64": 13, "BF16": 16,
}  # fmt: skip
"""ONNXTensorElementDataType"""
_Description = c_int64 * 4
"""Element type, address of the shape, rank, and address of the values."""
DATATYPE_OF = {code: datatype for datatype, code in CODE_OF.items()}


def lend(library: ort.Library, tensor: Tensor) -> tuple[ort.Value, object]:
    """Return a value over the tensor's memory (`CreateTensorWithDataAsOrtValue`), and an object that keeps it alive.

    Memory that is not aligned for its datatype is copied, and so are BYTES. Raises `ort.Failure`.
    """
    value, rank = ort.Value(), len(tensor.shape)
    shape = ort.array(c_int64, rank)(*tensor.shape)
    code = CODE_OF[tensor.datatype]
    if isinstance(tensor.data, list):
        library.CreateTensorAsOrtValue(library.allocator, shape, rank, code, byref(value))
        _write_texts(library, value, tensor.data)
        return value, None
    address, owner = ort.address_of(tensor.data)
    if address % SIZES[tensor.datatype]:
        address, owner = ort.address_of(memoryview(bytes(tensor.data)))
    create, size = library.CreateTensorWithDataAsOrtValue, tensor.data.nbytes
    library.check(create(library.cpu, address, size, shape, rank, code, byref(value)))
    return value, owner


def take(library: ort.Library, value: ort.Value, owner: object) -> Tensor:
    """Return a tensor over the value's own memory (`GetTensorMutableData`), read-only.

    The tensor keeps the value and `owner` alive. Raises `ort.Failure`.
    """
    description, pointer = _Description(), value.value
    address = addressof(description)
    library.check(library.GetTensorElementTypeAndShapeDataReference(pointer, address, address + 8, address + 16))
    rank = description[2]
    shape = tuple(ort.array(c_int64, rank).from_address(description[1])[:]) if rank else ()
    datatype, count = DATATYPE_OF[description[0]], math.prod(shape)
    if datatype == "BYTES":
        return Tensor(datatype=datatype, shape=shape, data=_read_texts(library, value, count))
    if not count:
        return Tensor(datatype=datatype, shape=shape, data=memoryview(b""))
    library.check(library.GetTensorMutableData(pointer, address + 24))
    memory: Any = ort.array(c_ubyte, count * SIZES[datatype]).from_address(description[3])
    memory.owner = (owner, value)
    return Tensor(datatype=datatype, shape=shape, data=memoryview(memory).cast("B").toreadonly())


def _write_texts(library: ort.Library, value: ort.Value, texts: list[bytes]) -> None:
    buffer = c_void_p()
    for index, text in enumerate(texts):
        library.GetResizedStringTensorElementBuffer(value, index, len(text), byref(buffer))
        memmove(buffer, text, len(text))


def _read_texts(library: ort.Library, value: ort.Value, count: int) -> list[bytes]:
    total = c_size_t()
    library.GetStringTensorDataLength(value, byref(total))
    joined, offsets = create_string_buffer(total.value), (c_size_t * (count + 1))()
    library.GetStringTensorContent(value, joined, total, offsets, count)
    offsets[count] = total.value
    content = joined.raw
    return [content[start:stop] for start, stop in pairwise(offsets)]
