"""The memory of an Arrow array as numpy sees it, without a copy, also where values are missing.

arro3 gives numpy an array without missing values only. The C data interface, which does not change,
shows both of its buffers: https://arrow.apache.org/docs/format/CDataInterface.html
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from arro3.core import Array

_pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
_pointer_of.restype, _pointer_of.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)


class _ArrowArray(ctypes.Structure):
    """The beginning of `struct ArrowArray`."""

    _fields_ = (
        ("length", ctypes.c_int64),
        ("null_count", ctypes.c_int64),
        ("offset", ctypes.c_int64),
        ("n_buffers", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    )


def present(array: Array) -> np.ndarray:
    """Return which values are there: bool [values]."""
    if not len(array) or not array.null_count:
        return np.ones(len(array), dtype=bool)
    capsule, layout = _opened(array)
    first, count = layout.offset, layout.length
    bitmap = _bytes_at(layout.buffers[0], (first + count + 7) // 8, capsule)
    return np.unpackbits(bitmap, count=first + count, bitorder="little")[first:].astype(bool)


def values(array: Array, dtype: str) -> np.ndarray:
    """Return the values of an array of numbers of this type: [values]. Those that are missing are arbitrary."""
    if not len(array):
        return np.empty(0, dtype=dtype)
    capsule, layout = _opened(array)
    width = np.dtype(dtype).itemsize
    memory = _bytes_at(layout.buffers[1], (layout.offset + layout.length) * width, capsule)
    return memory.view(dtype)[layout.offset :]


def _opened(array: Array) -> tuple[object, _ArrowArray]:
    _, capsule = array.__arrow_c_array__()
    return capsule, _ArrowArray.from_address(_pointer_of(capsule, b"arrow_array"))


def _bytes_at(address: int | None, size: int, owner: object) -> np.ndarray:
    memory: Any = (ctypes.c_ubyte * size).from_address(address or 0)
    memory.owner = owner  # the array lives as long as the view of it
    return np.frombuffer(memory, dtype=np.uint8)
