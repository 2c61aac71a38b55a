"""An ONNX file that sends its reader to other files is refused.

Protocol buffers are read just far enough to see it, without the onnx package: such a
reference can name any path of the machine that opens the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
_TENSOR: dict[int, str] = {}
_INSIDE: dict[str, dict[int, str]] = {
    # Field numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": _TENSOR,
}


def refuse_external_data(model: bytes) -> None:
    """Raises `ValueError` when a tensor lies outside the file, or the file is too damaged to tell."""
    if b"location" not in model:  # the key without which no reference can be followed
        return
    waiting = [("model", memoryview(model))]
    try:
        while waiting:
            kind, message = waiting.pop()
            for number, value in _fields(message):
                if kind == "tensor" and (number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value != 0)):
                    raise ValueError("the model keeps weights in other files; accepted: one file that holds all of it")
                inner = _INSIDE[kind].get(number)
                if inner is not None and isinstance(value, memoryview):
                    waiting.append((inner, value))
    except IndexError:
        raise ValueError("the file is cut off, or is not an ONNX model") from None


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        match tag & 7:
            case 0:
                value, at = _varint(message, at)
                yield tag >> 3, value
            case 1:
                at += 8
            case 5:
                at += 4
            case 2:
                length, at = _varint(message, at)
                if at + length > len(message):
                    raise IndexError
                yield tag >> 3, message[at : at + length]
                at += length
            case _:
                raise IndexError


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise IndexError
