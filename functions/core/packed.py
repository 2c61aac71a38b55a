"""A model laid out for a quick start: optimised beforehand, its weights in a file beside it that is mapped, not read.

It pays for weights that a function carries itself. One that is fetched from a store would
have to be fetched with the second copy of its weights, and costs more than it saves.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from functions.core import ort
from functions.core.onnx import BadModel
from functions.core.ort_session import open_session, options_of

if TYPE_CHECKING:
    from pathlib import Path

    from functions.core.tensor import Memory

MODEL, WEIGHTS = "model.onnx", "weights.bin"
_SMALL = 1024
"""Bytes of a weight that stays in the model itself."""


def pack(model: Memory | Path, folder: Path, *, prepacked: bool = True) -> Path:
    """Write `model.onnx` and `weights.bin` into `folder`; open the path that is returned with `optimised=True`.

    Graph and weights are laid out for the processor of the machine that does it, which must be
    of the kind that serves it; keep the plain model too. `prepacked` stores the layout that
    matrix products want beside the plain weights, which doubles the file; without it, open the
    model with `prepacked=False` or it is laid out at every start.
    Raises `BadModel` when the model cannot be opened.
    """
    library, target = ort.library(), folder / MODEL
    options = options_of(library, threads=1, prepacked=True, optimised=False)
    library.SetOptimizedModelFilePath(options, os.fsencode(target))
    entries = {
        "session.optimized_model_external_initializers_file_name": WEIGHTS,
        "session.optimized_model_external_initializers_min_size_in_bytes": str(_SMALL),
        "session.save_external_prepacked_constant_initializers": str(int(prepacked)),
    }
    for key, value in entries.items():
        library.AddSessionConfigEntry(options, key.encode(), value.encode())
    try:
        open_session(library, model, options)
    except (ValueError, OSError, ort.Failure) as problem:
        raise BadModel(f"the model cannot be packed: {problem}") from None
    return target
