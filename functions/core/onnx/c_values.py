"""Tensors as onnxruntime's C library holds them: `OrtValue`, over memory that is lent both ways and not copied."""

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
_Told = c_int64 * 4
"""Element type, where the lengths are, how many, and where the values are."""
DATATYPE_OF = {code: datatype for datatype, code in CODE_OF.items()}


def lend(library: ort.Library, tensor: Tensor) -> tuple[ort.Value, object]:
    """A value over the tensor's own memory (`CreateTensorWithDataAsOrtValue`), and what to hold as long as it is used.

    What does not lie where its datatype may lie is copied, as BYTES are. Raises `ort.Failure`.
    """
    value, rank = ort.Value(), len(tensor.shape)
    shape = ort.array(c_int64, rank)(*tensor.shape)
    code = CODE_OF[tensor.datatype]
    if isinstance(tensor.data, list):
        library.CreateTensorAsOrtValue(library.allocator, shape, rank, code, byref(value))
        _write_texts(library, value, tensor.data)
        return value, None
    address, held = ort.lent(tensor.data)
    if address % SIZES[tensor.datatype]:
        address, held = ort.lent(memoryview(bytes(tensor.data)))
    create, size = library.CreateTensorWithDataAsOrtValue, tensor.data.nbytes
    library.check(create(library.cpu, address, size, shape, rank, code, byref(value)))
    return value, held


def take(library: ort.Library, value: ort.Value, owner: object) -> Tensor:
    """The tensor in a value, over the value's own memory (`GetTensorMutableData`), which can be read and not written.

    It holds the value and `owner`. Raises `ort.Failure`.
    """
    told, pointer = _Told(), value.value
    here = addressof(told)
    library.check(library.GetTensorElementTypeAndShapeDataReference(pointer, here, here + 8, here + 16))
    rank = told[2]
    shape = tuple(ort.array(c_int64, rank).from_address(told[1])[:]) if rank else ()
    datatype, count = DATATYPE_OF[told[0]], math.prod(shape)
    if datatype == "BYTES":
        return Tensor(datatype=datatype, shape=shape, data=_read_texts(library, value, count))
    if not count:
        return Tensor(datatype=datatype, shape=shape, data=memoryview(b""))
    library.check(library.GetTensorMutableData(pointer, here + 24))
    memory: Any = ort.array(c_ubyte, count * SIZES[datatype]).from_address(told[3])
    memory.owner = (owner, value)
    return Tensor(datatype=datatype, shape=shape, data=memoryview(memory).cast("B").toreadonly())


def _write_texts(library: ort.Library, value: ort.Value, texts: list[bytes]) -> None:
    place = c_void_p()
    for index, text in enumerate(texts):
        library.GetResizedStringTensorElementBuffer(value, index, len(text), byref(place))
        memmove(place, text, len(text))


def _read_texts(library: ort.Library, value: ort.Value, count: int) -> list[bytes]:
    total = c_size_t()
    library.GetStringTensorDataLength(value, byref(total))
    joined, offsets = create_string_buffer(total.value), (c_size_t * (count + 1))()
    library.GetStringTensorContent(value, joined, total, offsets, count)
    offsets[count] = total.value
    whole = joined.raw
    return [whole[start:stop] for start, stop in pairwise(offsets)]
