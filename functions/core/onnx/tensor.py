"""A tensor as the Open Inference Protocol names it: a datatype, a shape, and its values in row-major order.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md#tensor-data-types
"""

from __future__ import annotations

import math
import struct
import sys

TYPE_CHECKING = False  # without typing and dataclasses, which would take a fifth of the way to a first answer
if TYPE_CHECKING:
    from array import array
    from collections.abc import Collection
    from typing import Any, TypeAlias

    Memory: TypeAlias = bytes | bytearray | memoryview | array[Any]
    """Anything that lends its memory: Python's buffer protocol."""

_FORMATS = {
    "BOOL": "?", "UINT8": "B", "UINT16": "H", "UINT32": "I", "UINT64": "Q",
    "INT8": "b", "INT16": "h", "INT32": "i", "INT64": "q", "FP16": "e", "FP32": "f", "FP64": "d", "BF16": "H",
}  # fmt: skip
"""One value of each datatype, as the module `struct` writes it."""
SIZES = {datatype: struct.calcsize(f"<{code}") for datatype, code in _FORMATS.items()}
"""Bytes of one value; a BYTES value has a length of its own."""
FLOATS = frozenset({"FP16", "FP32", "FP64", "BF16"})
INTEGERS = {
    f"{kind}{bits}": (0 if kind == "UINT" else -(2 ** (bits - 1)), 2 ** (bits - (kind == "INT")) - 1)
    for kind in ("INT", "UINT")
    for bits in (8, 16, 32, 64)
}
"""The least and the greatest value of every whole-number type."""
_set = object.__setattr__
DATATYPES = frozenset({*SIZES, "BYTES"})


class _Value:
    """Named fields, set once. Equal when they are."""

    __slots__: tuple[str, ...] = ()
    __hash__ = None

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a {type(self).__name__} does not change: {name}")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and all(getattr(self, n) == getattr(other, n) for n in self.__slots__)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"


class Spec(_Value):
    """What a model takes or gives: -1 is any length, and () a scalar, or a shape that the model does not tell."""

    __slots__ = ("datatype", "name", "shape")
    name: str
    datatype: str
    shape: tuple[int, ...]

    def __init__(self, *, name: str, datatype: str, shape: tuple[int, ...]) -> None:
        _set(self, "name", name)
        _set(self, "datatype", datatype)
        _set(self, "shape", shape)


class Tensor(_Value):
    """As many values as the shape says, in row-major order. Equal tensors are equal bit by bit.

    Made by `of` from Python's values, by `over` from memory that is there already.
    """

    __slots__ = ("data", "datatype", "shape")
    datatype: str
    shape: tuple[int, ...]
    data: memoryview | list[bytes]
    """Little-endian bytes without gaps; of BYTES, each value's own bytes."""

    def __init__(self, *, datatype: str, shape: tuple[int, ...], data: memoryview | list[bytes]) -> None:
        _set(self, "datatype", datatype)
        _set(self, "shape", shape)
        _set(self, "data", data)

    @classmethod
    def of(cls, datatype: str, shape: tuple[int, ...], values: Collection[Any]) -> Tensor:
        """A tensor of numbers, of booleans, or of text and bytes; text becomes UTF-8.

        Raises `ValueError` when they are not as many as the shape says, or one is not of the datatype.
        """
        if len(values) != math.prod(shape):
            raise ValueError(f"there are {len(values)} values; the shape {list(shape)} takes {math.prod(shape)}")
        try:
            if datatype == "BOOL" and not set(values) <= {False, True}:
                raise TypeError
            if datatype == "BYTES":
                return cls(datatype=datatype, shape=shape, data=[_bytes(value) for value in values])
            packed = _narrowed(values) if datatype == "BF16" else struct.pack(_format(datatype, shape), *values)
        except (TypeError, OverflowError, struct.error, UnicodeEncodeError):
            raise ValueError(f"a value is no {datatype}") from None
        return cls(datatype=datatype, shape=shape, data=memoryview(packed))

    @classmethod
    def over(cls, datatype: str, shape: tuple[int, ...], memory: Memory) -> Tensor:
        """A tensor over little-endian bytes, which are not copied: they belong to it from now on.

        Raises `ValueError` when there are not as many bytes as datatype and shape take, or a
        BOOL is neither 0 nor 1; `TypeError` for BYTES, and for memory with gaps.
        """
        data = memoryview(memory)
        data = data.cast("B") if data.nbytes else memoryview(b"")  # what is empty in two dimensions cannot be cast
        size = SIZES.get(datatype)
        if size is None:
            raise TypeError(f"a tensor of {datatype} has no memory of its own; accepted: {', '.join(SIZES)}")
        if data.nbytes != size * math.prod(shape):
            expected = size * math.prod(shape)
            raise ValueError(f"there are {data.nbytes} bytes; {datatype} of the shape {list(shape)} takes {expected}")
        if datatype == "BOOL" and bytes(data).strip(b"\0\1"):
            raise ValueError("a BOOL is neither 0 nor 1")
        return cls(datatype=datatype, shape=shape, data=data)

    def values(self) -> tuple[Any, ...]:
        """Python's own numbers, booleans or text, in row-major order; text that is no UTF-8 has U+FFFD in it."""
        if isinstance(self.data, list):
            return tuple(value.decode("utf-8", "replace") for value in self.data)
        if self.datatype == "BF16":
            return _widened(self.data)
        if self.datatype == "FP16" or sys.byteorder != "little":
            return struct.unpack(_format(self.datatype, self.shape), self.data)
        code: Any = _FORMATS[self.datatype]
        return tuple(self.data.cast(code).tolist())

    def rows(self, start: int, stop: int) -> Tensor:
        """A part along the first axis, over the same memory."""
        start, stop, _ = slice(start, stop).indices(self.shape[0])
        width = math.prod(self.shape[1:]) * SIZES.get(self.datatype, 1)
        shape = (max(stop - start, 0), *self.shape[1:])
        return Tensor(datatype=self.datatype, shape=shape, data=self.data[start * width : stop * width])


def _format(datatype: str, shape: tuple[int, ...]) -> str:
    return f"<{math.prod(shape)}{_FORMATS[datatype]}"


def _bytes(value: Any) -> bytes:
    if not isinstance(value, (str, bytes)):
        raise TypeError
    return value.encode() if isinstance(value, str) else value


def _widened(data: memoryview) -> tuple[float, ...]:
    """A BF16 is the upper half of an FP32."""
    wide = bytearray(2 * len(data))
    wide[2::4], wide[3::4] = data[::2], data[1::2]
    return struct.unpack(f"<{len(data) // 2}f", wide)


def _narrowed(values: Collection[float]) -> bytes:
    """The nearest BF16 of every value, of two that are equally near the even one; NaN stays NaN."""
    count = len(values)
    wide = struct.unpack(f"<{count}I", struct.pack(f"<{count}f", *values))
    nan = 0x7FC0
    upper = [nan if bits & 0x7FFFFFFF > 0x7F800000 else (bits + 0x7FFF + (bits >> 16 & 1)) >> 16 for bits in wide]
    return struct.pack(f"<{count}H", *upper)
