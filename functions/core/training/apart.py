"""The work of an experiment in a process of its own: whatever a model's code does, the function lives and says so.

On a system that cannot fork safely, which no function runs on, the work is done in this process, without bounds.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.core.runtime import forked
from functions.core.training import libraries
from functions.core.training.blame import failure

if TYPE_CHECKING:
    from pathlib import Path

    from functions.core.runtime.forked import Tell
    from functions.core.runtime.frames import Frame
    from functions.core.training.limits import Limits

At = Callable[[str], None]
"""Notes where an experiment is: `fit, fold 3 of 5`."""
_AT, _DONE, _FAILED, _LIBRARIES = b"a", b"d", b"f", b"l"


@dataclass(frozen=True, kw_only=True)
class Work:
    """What came of an experiment."""

    record: dict[str, Any]
    files: Sequence[bytes] = ()


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why nothing came of it."""

    told: dict[str, Any]
    """What its record says: `error`, a sentence, and `trace`, the lines of the model's code."""
    kind: str
    """The name of what was raised; what the record says where nothing was."""
    text: str = ""
    """The whole traceback."""


@dataclass(kw_only=True)
class _Heard:
    """What the process has said."""

    at: str = ""
    result: Work | Failure | None = None

    def hear(self, frame: Frame) -> None:
        if frame.kind == _AT:
            self.at = frame.head
        elif frame.kind == _LIBRARIES:
            libraries.note(frame.head)
        elif frame.kind == _FAILED:
            self.result = Failure(**frame.head)
        elif frame.kind == _DONE:
            files, start = [], 0
            for size in frame.head["sizes"]:
                files.append(frame.payload[start : start + size])
                start += size
            self.result = Work(record=frame.head["record"], files=files)


Attempt = Callable[[Callable[[At], Work], "Limits", "Path"], Work | Failure]
"""Does the work of an experiment."""


def attempt_here(work: Callable[[At], Work], limits: Limits, folder: Path) -> Work | Failure:
    """Return what came of `work` with the code of the model in `folder`, done in this process, without bounds."""
    return _attempted(work, limits, folder, lambda _: None)


def attempt(work: Callable[[At], Work], limits: Limits, folder: Path) -> Work | Failure:
    """Return what came of `work` within its limits, with the code of the model in `folder`."""
    if not forked.HERE:
        return attempt_here(work, limits, folder)
    libraries.load(folder)
    known, heard = frozenset(sys.modules), _Heard()

    def child(tell: Tell) -> None:
        result = _attempted(work, limits, folder, lambda at: tell(_AT, at, b""))
        tell(_LIBRARIES, libraries.imported(folder, known), b"")
        if isinstance(result, Failure):
            tell(_FAILED, vars(result), b"")
        else:
            tell(_DONE, {"record": result.record, "sizes": [*map(len, result.files)]}, b"".join(result.files))

    end = forked.run(child, heard.hear, limits.bounds)
    if heard.result is not None:
        return heard.result
    sentence = f"{limits.told(end)}; {_where(heard.at)}"
    return Failure(told={"error": sentence, "trace": []}, kind=sentence)


def _attempted(work: Callable[[At], Work], limits: Limits, folder: Path, tell: At) -> Work | Failure:
    places: list[str] = []

    def at(where: str) -> None:
        places.append(where)
        tell(where)

    try:
        return work(at)
    except (Exception, SystemExit) as problem:  # the code of a model may raise anything, and may be a script
        told = failure(problem, folder)
        if isinstance(problem, MemoryError) and limits.memory:
            told |= {"error": f"{limits.memory}; {_where(*places[-1:])}: {told['error']}"}
        text = "".join(traceback.format_exception(problem))
        return Failure(told=told, kind=type(problem).__name__, text=text)


def _where(at: str = "") -> str:
    return f"it was in {at}" if at else "its code had not begun"
