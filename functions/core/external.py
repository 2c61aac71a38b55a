"""Where an ONNX file keeps its weights: in itself, or in a file right beside it, and nowhere else.

Protocol buffers are read just far enough to see it, without the onnx package: such a
reference can name any path of the machine that opens the model.
"""

from __future__ import annotations

import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
_IR_VERSION, _GRAPH = 1, 7
_DIGITS = 18
_KEYS = frozenset({"location", "offset", "length", "checksum"})
"""What the format itself says of an external tensor."""
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


def check_external_data(model: Any, beside: Path | None = None) -> None:
    """Raises `ValueError` when a tensor lies outside the file, or the file is too damaged to tell.

    With a folder, a tensor may lie in a regular file of that folder itself, inside its bounds.
    """
    searched = model if hasattr(model, "find") else bytes(model)
    if searched.find(b"location") < 0:  # the key without which no reference can be followed
        return
    try:
        for tensor in _tensors(memoryview(model).cast("B")):
            reference = _reference(tensor)
            if reference is not None:
                _check(reference, beside)
    except IndexError:
        raise ValueError("the file is cut off, or is not an ONNX model") from None


def is_onnx(data: bytes) -> bool:
    """Does it look like an ONNX model: protocol buffers, with a version of the format and a graph among them?"""
    try:
        found = {number for number, _ in _fields(memoryview(data))}
    except IndexError:
        return False
    return {_IR_VERSION, _GRAPH} <= found


def _tensors(model: memoryview) -> Iterator[memoryview]:
    waiting = [("model", model)]
    while waiting:
        kind, message = waiting.pop()
        if kind == "tensor":
            yield message
            continue
        for number, value in _fields(message):
            inner = _INSIDE[kind].get(number)
            if inner is not None and isinstance(value, memoryview):
                waiting.append((inner, value))


def _reference(tensor: memoryview) -> dict[str, str] | None:
    """What a tensor says of the file that it lies in: `location`, `offset`, `length`; None when it lies here."""
    found: dict[str, str] | None = None
    for number, value in _fields(tensor):
        if number == _DATA_LOCATION and value != 0:
            found = found or {}
        elif number == _EXTERNAL_DATA and isinstance(value, memoryview):
            entry = {key: bytes(text) for key, text in _fields(value) if isinstance(text, memoryview)}
            found = {
                **(found or {}),
                entry.get(1, b"").decode("utf-8", "replace"): entry.get(2, b"").decode("utf-8", "replace"),
            }
    return found


def _check(reference: dict[str, str], beside: Path | None) -> None:
    if beside is None:
        raise ValueError("the model keeps weights in other files; accepted: one file that holds all of it")
    others = sorted(set(reference) - _KEYS)
    if others:
        # Among them is what onnxruntime saves as laid out for the processor, which can end the process that reads it.
        raise ValueError(f"the model keeps weights with {others[0]!r:.40}; accepted: {', '.join(sorted(_KEYS))}")
    name = reference.get("location", "")
    if not name or name.startswith(".") or "/" in name or "\\" in name or "\0" in name:
        raise ValueError("the model keeps weights in another folder; accepted: a file right beside it")
    try:
        found = (beside / name).lstat()
    except OSError:
        raise ValueError(f"the model keeps weights in {name!r:.80}, which is not beside it") from None
    if not stat.S_ISREG(found.st_mode):
        raise ValueError(f"the model keeps weights in {name!r:.80}, which is no regular file")
    offset, length = reference.get("offset") or "0", reference.get("length") or "0"
    if not (_is_number(offset) and _is_number(length)) or int(offset) + int(length) > found.st_size:
        raise ValueError(f"the model keeps weights beyond the end of {name!r:.80}")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS


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
