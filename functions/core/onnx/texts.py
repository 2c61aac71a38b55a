"""The texts of a BYTES tensor, into and out of the memory of onnxruntime's C library."""

from __future__ import annotations

from ctypes import byref, c_size_t, c_void_p, create_string_buffer, memmove
from itertools import pairwise

TYPE_CHECKING = False  # importing typing would delay the first answer
if TYPE_CHECKING:
    from functions.core.onnx import library as ort


def write_texts(library: ort.Library, value: ort.Value, texts: list[bytes]) -> None:
    """Write texts into a value that was made for as many (`GetResizedStringTensorElementBuffer`)."""
    place = c_void_p()
    for index, text in enumerate(texts):
        library.GetResizedStringTensorElementBuffer(value, index, len(text), byref(place))
        memmove(place, text, len(text))


def read_texts(library: ort.Library, value: ort.Value, count: int) -> list[bytes]:
    """Return the texts of a value (`GetStringTensorContent`)."""
    total = c_size_t()
    library.GetStringTensorDataLength(value, byref(total))
    joined, offsets = create_string_buffer(total.value), (c_size_t * (count + 1))()
    library.GetStringTensorContent(value, joined, total, offsets, count)
    offsets[count] = total.value
    whole = joined.raw
    return [whole[start:stop] for start, stop in pairwise(offsets)]
