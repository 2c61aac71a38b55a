"""The weights of an ONNX file, used where they lie: the file is parsed without them, and they are lent to the session.

onnxruntime copies each weight twice when it opens a file from memory: into the parsed message, and out of it again.
Protocol buffers are read only as far as needed to find the weights, without the onnx package.
"""

from __future__ import annotations

import math

from functions.core.onnx.tensor import SIZES, Tensor
from interface.onnx_file import fields, varint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LEAST = 65_536
"""Bytes of a weight that is lent."""
_GRAPH, _INITIALIZER, _INPUT = 7, 5, 11
_DIMS, _TYPE, _NAME, _EXTERNAL, _LOCATION = 1, 2, 8, 13, 14
_NOWHERE = b"lent"
"""The file that the parsed message names for a weight; it is never looked for."""


class Lifted:
    """A file without its large weights, and these."""

    __slots__ = ("model", "rest", "weights")

    def __init__(self) -> None:
        self.model = b""
        """The file, with references in place of the weights."""
        self.rest = b""
        """The file without them, to be checked for references of its own."""
        self.weights: dict[bytes, Tensor] = {}
        """By name, over the memory of the file."""


def lift(model: memoryview, datatype_of: Mapping[int, str]) -> Lifted | None:
    """Return a file taken apart; `datatype_of` maps the datatypes of ONNX to ours.

    None where there is nothing to lift, or the file is not as exporters write it: onnxruntime then has the word on it.
    """
    lifted, parts, rest = Lifted(), [], []
    try:
        for number, value in fields(model):
            if number == _GRAPH and isinstance(value, memoryview):
                graph, own = _graph(value, lifted.weights, datatype_of)
                parts.append(_message(number, graph))
                rest.append(_message(number, own))
            else:
                parts.append(_written(number, value))
                rest.append(parts[-1])
    except (IndexError, ValueError):
        return None
    lifted.model, lifted.rest = b"".join(parts), b"".join(rest)
    return lifted if lifted.weights else None


def _graph(graph: memoryview, weights: dict[bytes, Tensor], datatype_of: Mapping[int, str]) -> tuple[bytes, bytes]:
    """Return a graph with references in place of its large weights, and without either; add these to `weights`.

    Raise `ValueError` for a name used twice.
    """
    inputs = {_first_text(value) for number, value in fields(graph) if number == _INPUT}
    parts, rest = [], []
    for number, value in fields(graph):
        if number == _INITIALIZER and isinstance(value, memoryview) and len(value) >= _LEAST:
            name, code, tensor = _tensor(value, datatype_of)
            if name in weights:
                raise ValueError(name)
            if tensor is not None and name not in inputs:  # the value of an input is a default, and may be overridden
                weights[name] = tensor
                parts.append(_message(_INITIALIZER, _reference(name, code, tensor)))
                continue
        parts.append(_written(number, value))
        rest.append(parts[-1])
    return b"".join(parts), b"".join(rest)


def _tensor(message: memoryview, datatype_of: Mapping[int, str]) -> tuple[bytes, int, Tensor | None]:
    """Return name, datatype and values of a tensor whose values are raw bytes; None in place of others' values."""
    dims: list[int] = []
    name, code, raw = b"", 0, None
    for number, value in fields(message):
        match number, value:
            case (1, int()):
                dims.append(value)
            case (1, memoryview()):
                dims += _packed(value)
            case (2, int()):
                code = value
            case (8, memoryview()):
                name = bytes(value)
            case (9, memoryview()):  # raw_data
                raw = value
            case (13 | 14, _):
                return name, code, None
    datatype = datatype_of.get(code, "")
    if raw is None or not name or len(raw) != SIZES.get(datatype, 0) * math.prod(dims):
        return name, code, None
    return name, code, Tensor(datatype=datatype, shape=tuple(dims), data=raw)


def _reference(name: bytes, code: int, tensor: Tensor) -> bytes:
    """Return a tensor that says that its values lie elsewhere."""
    place = {b"location": _NOWHERE, b"offset": b"0", b"length": str(len(tensor.data)).encode()}
    entries = (_message(_EXTERNAL, _message(1, key) + _message(2, value)) for key, value in place.items())
    dims = b"".join(_number(_DIMS, length) for length in tensor.shape)
    return b"".join([dims, _number(_TYPE, code), _message(_NAME, name), *entries, _number(_LOCATION, 1)])


def _first_text(message: int | memoryview) -> bytes:
    """Return the first field of a message, where it is a text: the name of an input."""
    if isinstance(message, memoryview):
        for number, value in fields(message):
            if number == 1 and isinstance(value, memoryview):
                return bytes(value)
    return b""


def _packed(message: memoryview) -> Iterator[int]:
    at = 0
    while at < len(message):
        value, at = varint(message, at)
        yield value


def _written(number: int, value: int | memoryview) -> bytes:
    return _number(number, value) if isinstance(value, int) else _message(number, bytes(value))


def _number(field: int, value: int) -> bytes:
    return _encoded(field << 3) + _encoded(value)


def _message(field: int, content: bytes) -> bytes:
    return _encoded(field << 3 | 2) + _encoded(len(content)) + content


def _encoded(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
