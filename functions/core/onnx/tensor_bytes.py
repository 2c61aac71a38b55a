"""The binary tensor data extension of the Open Inference Protocol: tensors as bytes after the JSON.

https://kserve.github.io/website/latest/modelserving/data_plane/binary_tensor_data_extension/
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from functions.core.http.messages import BINARY, travels_as_text
from functions.core.http.problem import Problem, misfit
from functions.core.onnx.tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Mapping

LENGTH = "inference-header-content-length"
"""The header with the number of bytes of the body that are JSON. 0: the body is one tensor and nothing else."""
_SIZE = struct.Struct("<I")


class Chunks:
    """The bytes after the JSON of a request, taken from front to back."""

    def __init__(self, rest: memoryview) -> None:
        self._rest = rest

    def take(self, size: Any, field: str) -> memoryview:
        """Take the next `size` bytes, over the same memory.

        Raises `Problem` 400, which names `field`, when `size` is not a number of bytes or too few are left.
        """
        if type(size) is not int or size < 0:
            raise misfit(field, "is not a number of bytes, 0 or more")
        if size > len(self._rest):
            raise misfit(field, f"is {size}; the body holds {len(self._rest)} more bytes")
        chunk, self._rest = self._rest[:size], self._rest[size:]
        return chunk

    def rest(self) -> memoryview:
        """Take all remaining bytes."""
        chunk, self._rest = self._rest, self._rest[:0]
        return chunk

    def close(self) -> None:
        """Raise `Problem` 400 when bytes are left that belong to no tensor."""
        if self._rest:
            raise misfit("body", f"has {len(self._rest)} bytes behind the last tensor")


def split(body: bytes, headers: Mapping[str, str]) -> tuple[bytes, Chunks | None]:
    """Split a body into its JSON and the bytes after it; None instead of bytes when the header is not sent.

    Raises `Problem` 400 when the header is not a number of bytes of the body, 415 where a gateway changes bytes.
    """
    header = headers.get(LENGTH)
    if header is None:
        return body, None
    length = int(header) if header.isascii() and header.isdecimal() and len(header) < 16 else -1
    if not 0 <= length <= len(body):
        accepted = f"is not a number of bytes of the body, 0 to {len(body)}"
        raise misfit("Inference-Header-Content-Length", accepted)
    if length < len(body) and travels_as_text(headers):
        raise Problem(415, f"bytes behind the JSON do not travel as text; accepted: content-type: {BINARY}")
    return body[:length], Chunks(memoryview(body)[length:])


def unpack(datatype: str, shape: tuple[int, ...], data: memoryview) -> Tensor:
    """Make a tensor over `data` without a copy. Raises `ValueError` when it does not fit datatype and shape."""
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
    """Return the bytes of a tensor; for BYTES, each value preceded by its length in four bytes."""
    if not isinstance(tensor.data, list):
        return tensor.data
    return b"".join([piece for value in tensor.data for piece in (_SIZE.pack(len(value)), value)])
