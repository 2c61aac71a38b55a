"""A tensor as the Open Inference Protocol names it: a datatype, a shape, and values in row-major order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

FLOATS = frozenset({"FP16", "FP32", "FP64"})
INTEGERS = {
    f"{kind}{bits}": (0 if kind == "UINT" else -(2 ** (bits - 1)), 2 ** (bits - (kind == "INT")) - 1)
    for kind in ("INT", "UINT")
    for bits in (8, 16, 32, 64)
}
"""The least and the greatest value of every whole-number type."""
DATATYPES = FLOATS | set(INTEGERS) | {"BOOL", "BYTES"}


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What a model takes or gives: -1 in a shape is any length."""

    name: str
    datatype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """Values in row-major order, as many as the shape says: Python numbers, booleans or text, or a flat array."""

    datatype: str
    shape: tuple[int, ...]
    data: Sequence[Any]
