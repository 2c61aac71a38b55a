"""Where in a model's own code an experiment failed: what its author needs, without the frames of libraries."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

LONGEST = 500
"""Characters of a message."""
LINES = 8
"""The lines of a traceback that are kept, the last ones."""


def failure(problem: BaseException, folder: Path) -> dict[str, Any]:
    """Return the `error` in a sentence that names the last line of the model's code, and the `trace` to it.

    `folder` is that of the model. The trace has a line for each frame in it, and is empty where it failed elsewhere.
    """
    frames = traceback.extract_tb(problem.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(folder)]
    trace = [
        f"{Path(frame.filename).relative_to(folder)}:{frame.lineno}, in {frame.name}: {frame.line or '?'}"
        for frame in own
    ]
    if isinstance(problem, SyntaxError) and problem.filename and Path(problem.filename).is_relative_to(folder):
        text = (problem.text or "").strip()
        trace.append(f"{Path(problem.filename).relative_to(folder)}:{problem.lineno}: {text}")
    message = f"{type(problem).__name__}: {_said(problem)}"[:LONGEST]
    where = f" ({trace[-1]})" if trace else ""
    return {"error": f"{message}{where}{_missing(problem, folder.name)}", "trace": trace[-LINES:]}


def _said(problem: BaseException) -> str:
    """Return what a problem says of itself, which is the model's own code where the class is."""
    try:
        return str(problem)
    except Exception as wordless:
        return f"its text cannot be told, for a {type(wordless).__name__}"


def _missing(problem: BaseException, model: str) -> str:
    """Return where a package is named that the lock lacks, such as one that another package imports and does not name.

    A module of a package that is there is none that another package would bring.
    """
    if not isinstance(problem, ModuleNotFoundError) or not problem.name or "." in problem.name:
        return ""
    return (
        f"; models/{model}/requirements.in names the packages that its training has, and `sml lock {model}` locks them"
    )
