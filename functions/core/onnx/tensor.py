"""A tensor as the Open Inference Protocol names it: a datatype, a shape, and its values in row-major order.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md#tensor-data-types
"""

from __future__ import annotations

import math
import struct
import sys

TYPE_CHECKING = False  # importing typing and dataclasses would take a fifth of the time to a first answer
if TYPE_CHECKING:
    from array import array
    from collections.abc import Collection
    from typing import Any, TypeAlias

    Memory: TypeAlias = bytes | bytearray | memoryview | array[Any]
    """Any object with Python's buffer protocol."""

_FORMATS = {
    "BOOL": "?", "UINT8": "B", "UINT16": "H", "UINT32": "I", "UINT64": "Q",
    "INT8": "b", "INT16": "h", "INT32": "i", "INT64": "q", "FP16": "e", "FP32": "f", "FP64": "d", "BF16": "H",
}  # fmt: skip
"""The format character of each datatype in the module `struct`."""
SIZES = {datatype: struct.calcsize(f"<{code}") for datatype, code in _FORMATS.items()}
"""Bytes of one value; BYTES is left out, as each of its values has its own length."""
FLOATS = frozenset({"FP16", "FP32", "FP64", "BF16"})
INTEGERS = {
    f"{kind}{bits}": (0 if kind == "UINT" else -(2 ** (bits - 1)), 2 ** (bits - (kind == "INT")) - 1)
    for kind in ("INT", "UINT")
    for bits in (8, 16, 32, 64)
}
"""The least and the greatest value of each integer datatype."""
_set = object.__setattr__
DATATYPES = frozenset({*SIZES, "BYTES"})


class _Value:
    """An immutable record. Two are equal when all fields are."""

    __slots__: tuple[str, ...] = ()
    __hash__ = None

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a {type(self).__name__} does not change: {name}")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and all(getattr(self, n) == getattr(other, n) for n in self.__slots__)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"


class Spec(_Value):
    """An input or output of a model. In `shape`, -1 is any length; () is a scalar, and None a shape of any rank.

    An `optional` input has a value of its own in the file, which a request may replace.
    """

    __slots__ = ("datatype", "name", "optional", "shape")
    name: str
    datatype: str
    shape: tuple[int, ...] | None
    optional: bool

    def __init__(self, *, name: str, datatype: str, shape: tuple[int, ...] | None, optional: bool = False) -> None:
        _set(self, "name", name)
        _set(self, "datatype", datatype)
        _set(self, "shape", shape)
        _set(self, "optional", optional)

    @property
    def row(self) -> tuple[int, ...] | None:
        """The shape of one row: without the first length."""
        return None if self.shape is None else self.shape[1:]

    @property
    def shape_in_words(self) -> str:
        """The shape as messages show it."""
        return "any shape" if self.shape is None else str(list(self.shape))

    def document(self) -> dict[str, Any]:
        """Return it as JSON: null stands for a shape of any rank."""
        known = {
            "name": self.name,
            "datatype": self.datatype,
            "shape": None if self.shape is None else list(self.shape),
        }
        return {**known, "optional": True} if self.optional else known


class Tensor(_Value):
    """Values of one datatype in row-major order, as many as the shape takes. Equal tensors are equal bit by bit.

    `of` makes a tensor from Python values, `over` from existing memory.
    """

    __slots__ = ("data", "datatype", "shape")
    datatype: str
    shape: tuple[int, ...]
    data: memoryview | list[bytes]
    """Contiguous little-endian bytes; for BYTES, a list with the bytes of each value."""

    def __init__(self, *, datatype: str, shape: tuple[int, ...], data: memoryview | list[bytes]) -> None:
        _set(self, "datatype", datatype)
        _set(self, "shape", shape)
        _set(self, "data", data)

    @classmethod
    def of(cls, datatype: str, shape: tuple[int, ...], values: Collection[Any]) -> Tensor:
        """Make a tensor from numbers, booleans, or text and bytes; text is encoded as UTF-8.

        Raises `ValueError` when the number of values does not fit the shape, or one is not of the datatype.
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
        """Make a tensor over little-endian bytes without copying them; do not change them afterwards.

        Raises `ValueError` when the number of bytes does not fit datatype and shape, or a BOOL is
        neither 0 nor 1; `TypeError` for BYTES, and for memory that is not contiguous.
        """
        data = memoryview(memory)
        data = data.cast("B") if data.nbytes else memoryview(b"")  # an empty view of two dimensions cannot be cast
        size = SIZES.get(datatype)
        if size is None:
            raise TypeError(f"a tensor of {datatype} has no memory of its own; accepted: {', '.join(SIZES)}")
        if data.nbytes != size * math.prod(shape):
            expected = size * math.prod(shape)
            raise ValueError(f"there are {data.nbytes} bytes; {datatype} of the shape {list(shape)} takes {expected}")
        if datatype == "BOOL" and bytes(data).strip(b"\0\1"):
            raise ValueError("a BOOL is neither 0 nor 1")
        return cls(datatype=datatype, shape=shape, data=data)

    @property
    def is_text(self) -> bool:
        """Whether all values can be written as text: not so BYTES that are not UTF-8."""
        if not isinstance(self.data, list):
            return True
        try:
            return all([value.isascii() or bool(value.decode()) for value in self.data])
        except UnicodeDecodeError:
            return False

    def values(self) -> tuple[Any, ...]:
        """Return Python numbers, booleans or text, in row-major order; bytes that are not UTF-8 become U+FFFD."""
        if isinstance(self.data, list):
            return tuple(value.decode("utf-8", "replace") for value in self.data)
        if self.datatype == "BF16":
            return _widened(self.data)
        if self.datatype == "FP16" or sys.byteorder != "little":
            return struct.unpack(_format(self.datatype, self.shape), self.data)
        code: Any = _FORMATS[self.datatype]
        return tuple(self.data.cast(code).tolist())

    def rows(self, start: int, stop: int) -> Tensor:
        """Return the rows from `start` up to `stop` along the first axis, over the same memory."""
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
    """Return the FP32 values of BF16 data: a BF16 is the upper half of an FP32."""
    wide = bytearray(2 * len(data))
    wide[2::4], wide[3::4] = data[::2], data[1::2]
    return struct.unpack(f"<{len(data) // 2}f", wide)


def _narrowed(values: Collection[float]) -> bytes:
    """Return each value rounded to the nearest BF16, ties to even; NaN stays NaN."""
    count = len(values)
    wide = struct.unpack(f"<{count}I", struct.pack(f"<{count}f", *values))
    nan = 0x7FC0
    upper = [nan if bits & 0x7FFFFFFF > 0x7F800000 else (bits + 0x7FFF + (bits >> 16 & 1)) >> 16 for bits in wide]
    return struct.pack(f"<{count}H", *upper)
