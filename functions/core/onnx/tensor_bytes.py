"""The binary tensor data extension of the Open Inference Protocol: tensors as bytes behind the JSON.

https://kserve.github.io/website/latest/modelserving/data_plane/binary_tensor_data_extension/
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from functions.core.http.problem import misfit
from functions.core.onnx.tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Mapping

LENGTH = "inference-header-content-length"
"""The header that says how many bytes of a body are JSON. 0: the body is one tensor and nothing else."""
_SIZE = struct.Struct("<I")


class Chunks:
    """The bytes behind the JSON of a request, handed out from front to back."""

    def __init__(self, rest: memoryview) -> None:
        self._rest = rest

    def take(self, size: Any, field: str) -> memoryview:
        """The next `size` bytes, over the same memory. Raises `Problem` 400."""
        if type(size) is not int or size < 0:
            raise misfit(field, "is not a number of bytes, 0 or more")
        if size > len(self._rest):
            raise misfit(field, f"is {size}; the body holds {len(self._rest)} more bytes")
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def rest(self) -> memoryview:
        """All that is left."""
        taken, self._rest = self._rest, self._rest[:0]
        return taken

    def close(self) -> None:
        """Raises `Problem` 400 when bytes are left that belong to no tensor."""
        if self._rest:
            raise misfit("body", f"has {len(self._rest)} bytes behind the last tensor")


def split(body: bytes, headers: Mapping[str, str]) -> tuple[bytes, Chunks | None]:
    """The JSON of a body and the bytes behind it; None in their place when no header tells of any.

    Raises `Problem` 400.
    """
    told = headers.get(LENGTH)
    if told is None:
        return body, None
    length = int(told) if told.isascii() and told.isdecimal() and len(told) < 16 else -1
    if not 0 <= length <= len(body):
        accepted = f"is not a number of bytes of the body, 0 to {len(body)}"
        raise misfit("Inference-Header-Content-Length", accepted)
    return body[:length], Chunks(memoryview(body)[length:])


def unpack(datatype: str, shape: tuple[int, ...], data: memoryview) -> Tensor:
    """A tensor over `data`, which is not copied. Raises `ValueError` when it does not fit datatype and shape."""
    if datatype != "BYTES":
        return Tensor.over(datatype, shape, data)
    values, at, end = [], 0, len(data)
    while at < end:
        if at + _SIZE.size > end:
            raise ValueError("the last length is cut off")
        [length] = _SIZE.unpack_from(data, at)
        at += _SIZE.size
        if at + length > end:
            raise ValueError(f"value {len(values)} is {length} bytes long; there are {end - at}")
        values.append(bytes(data[at : at + length]))
        at += length
    return Tensor.of("BYTES", shape, values)


def pack(tensor: Tensor) -> memoryview | bytes:
    """The bytes of a tensor; of BYTES, each value behind its length in four bytes."""
    if not isinstance(tensor.data, list):
        return tensor.data
    return b"".join([part for value in tensor.data for part in (_SIZE.pack(len(value)), value)])
