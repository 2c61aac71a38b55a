"""Refuse an ONNX file whose weights lie in other files: such a reference can name any path of this machine.

Protocol buffers are parsed only as far as needed to find one, without the onnx package.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
_IR_VERSION, _GRAPH = 1, 7
_INSIDE: dict[str, dict[int, str]] = {
    # Field numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}


def check_external_data(model: Any) -> None:
    """Raise `ValueError` when a tensor lies outside the file, or the file is too damaged to find out."""
    searched = model if hasattr(model, "find") else bytes(model)
    if searched.find(b"location") < 0:  # the key without which no reference can be followed
        return
    try:
        if any(_lies_elsewhere(tensor) for tensor in _tensors(memoryview(model).cast("B"))):
            raise ValueError("the model keeps weights in other files; accepted: one file that holds all of it")
    except IndexError:
        raise ValueError("the file is cut off, or is not an ONNX model") from None


def is_onnx(data: bytes) -> bool:
    """Return whether the data look like an ONNX model: protocol buffers with a format version and a graph."""
    try:
        fields = {number for number, _ in _fields(memoryview(data))}
    except IndexError:
        return False
    return {_IR_VERSION, _GRAPH} <= fields


def _tensors(model: memoryview) -> Iterator[memoryview]:
    pending = [("model", model)]
    while pending:
        kind, message = pending.pop()
        if kind == "tensor":
            yield message
            continue
        for number, value in _fields(message):
            inner = _INSIDE[kind].get(number)
            if inner is not None and isinstance(value, memoryview):
                pending.append((inner, value))


def _lies_elsewhere(tensor: memoryview) -> bool:
    return any(
        number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value != 0) for number, value in _fields(tensor)
    )


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
