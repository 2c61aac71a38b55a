"""Refuse an ONNX file whose weights lie in other files: such a reference can name any path of this machine."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def check_external_data(model: Any) -> None:
    """Raise `ValueError` when a tensor lies outside the file, or the file is too damaged to find out."""
    searched = model if hasattr(model, "find") else bytes(model)
    if searched.find(b"location") < 0:  # the key without which no reference can be followed
        return
    from interface.onnx_file import ONE_FILE, weights_elsewhere  # noqa: PLC0415 - few files have the word in them

    try:
        if weights_elsewhere(model):
            raise ValueError(ONE_FILE)
    except IndexError:
        raise ValueError("the file is cut off, or is not an ONNX model") from None
