"""The errors in what a function logged: lines of level ERROR, and tracebacks of what ends its copies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from localcloud.engine.events import Event, Failed, Logged

TRACEBACK = "Traceback (most recent call last):"


def errors(function: str, lines: Sequence[str]) -> Iterator[Event]:
    """Yield an event for each error in some lines of a function's log."""
    trace: list[str] | None = None
    for line in lines:
        if line.startswith("{"):
            if _is_error(line):
                yield Logged(function=function, line=line)
        elif line.startswith(TRACEBACK):
            trace = []
        elif trace is not None and line.startswith(" "):
            trace.append(line)
        elif trace is not None and line:
            yield Failed(function=function, error=line, trace="\n".join(trace))
            trace = None


def _is_error(line: str) -> bool:
    try:
        document = json.loads(line)
    except ValueError:
        return False
    return isinstance(document, dict) and document.get("severity") == "ERROR"
