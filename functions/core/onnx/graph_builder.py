"""A small ONNX graph, written without the onnx package: as many of its protocol buffers as that takes.

Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.onnx.tensor import Tensor
from functions.core.onnx.tensor_bytes import pack

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_TYPES = {"FP32": 1, "INT64": 7, "BOOL": 9}
_IR_VERSION, _OPSET = 8, 17
_INT = 2


class Graph:
    """Nodes are computed in the order in which they are added."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []

    def constant(self, name: str, datatype: str, shape: tuple[int, ...], values: Collection[Any]) -> None:
        """A tensor that the graph carries with it: FP32, INT64 or BOOL."""
        tensor = Tensor.of(datatype, shape, values)
        dims = b"".join(_number(1, length) for length in shape)
        content = _number(2, _TYPES[datatype]) + _text(8, name) + _message(9, bytes(pack(tensor)))
        self._constants.append(dims + content)

    def node(self, kind: str, *inputs: str, output: str | None = None, **attributes: int) -> str:
        """Add an operator with one output; returns what the output is called."""
        name = output or f"{kind}_{len(self._nodes)}"
        ends = [*(_text(1, input_) for input_ in inputs), _text(2, name), _text(4, kind)]
        extra = [
            _message(5, _text(1, key) + _number(3, value) + _number(20, _INT)) for key, value in attributes.items()
        ]
        self._nodes.append(b"".join([*ends, *extra]))
        return name

    def model(
        self, *, inputs: Mapping[str, tuple[str, tuple[int, ...]]], outputs: Mapping[str, tuple[str, tuple[int, ...]]]
    ) -> bytes:
        """The whole file. Inputs and outputs are named with datatype and shape; -1 is any length."""
        graph = b"".join(
            [
                *(_message(1, node) for node in self._nodes),
                _text(2, self._name),
                *(_message(5, constant) for constant in self._constants),
                *(_message(11, _value(name, *kind)) for name, kind in inputs.items()),
                *(_message(12, _value(name, *kind)) for name, kind in outputs.items()),
            ]
        )
        return _number(1, _IR_VERSION) + _message(7, graph) + _message(8, _text(1, "") + _number(2, _OPSET))


def _value(name: str, datatype: str, shape: tuple[int, ...]) -> bytes:
    lengths = [_message(1, _text(2, "rows") if length < 0 else _number(1, length)) for length in shape]
    tensor = _number(1, _TYPES[datatype]) + _message(2, b"".join(lengths))
    return _text(1, name) + _message(2, _message(1, tensor))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _text(field: int, value: str) -> bytes:
    return _message(field, value.encode())


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
