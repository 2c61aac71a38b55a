"""Structured logging: one line of JSON on standard output for each event."""

from __future__ import annotations

import json
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any, TextIO

from functions.core.runtime import spans

if TYPE_CHECKING:
    from collections.abc import Callable

    Traced = Callable[[spans.Span], dict[str, Any]]
    """Returns the fields by which a cloud's own log finds the lines of a span."""

_LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40}


def _encode(line: dict[str, Any]) -> bytes:
    return json.dumps(line, default=str).encode()


class Log:
    """Write events of `level` and above, one flushed line each. A value that is not JSON is written as text.

    `level_name` is the field that holds the level: clouds expect different names. `encode`
    replaces the JSON encoder, for functions that have a faster one. A line that is written at work
    has the ids of its span, and the fields that `traced` returns.
    """

    def __init__(
        self,
        level: str = "INFO",
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.time,
        *,
        level_name: str = "level",
        encode: Callable[[dict[str, Any]], bytes] = _encode,
        traced: Traced | None = None,
    ) -> None:
        if level not in _LEVELS:
            raise ValueError(f"LOG_LEVEL: accepted: {', '.join(_LEVELS)}")
        self._least = _LEVELS[level]
        self._stream = stream
        self._clock = clock
        self._level_name = level_name
        self._encode = encode
        self._traced = traced

    def info(self, event: str, **fields: Any) -> None:
        self._write("INFO", event, fields)

    def info_also(self, event: str, also: bytes, **fields: Any) -> None:
        """Write an event, with fields after the others as `part` returns them."""
        self._write("INFO", event, fields, also)

    def part(self, fields: dict[str, Any]) -> bytes:
        """Return fields, one or more, as `info_also` takes them: encoded once for the many lines that have them."""
        return b"," + self._encode(fields)[1:]

    def warning(self, event: str, **fields: Any) -> None:
        self._write("WARNING", event, fields)

    def error(self, event: str, *, problem: BaseException | None = None, **fields: Any) -> None:
        """Write an event that needs attention; `problem` is written with its traceback."""
        if problem is not None:
            fields = {**fields, "error": type(problem).__name__, "trace": "".join(traceback.format_exception(problem))}
        self._write("ERROR", event, fields)

    def _write(self, level: str, event: str, fields: dict[str, Any], also: bytes = b"") -> None:
        if _LEVELS[level] < self._least:
            return
        line = {"time": round(self._clock(), 3), self._level_name: level, "event": event, **fields}
        if (span := spans.current()) is not None:
            line["trace_id"], line["span_id"] = span.trace_id, span.span_id
            if self._traced is not None:
                line |= self._traced(span)
        stream = self._stream or sys.stdout
        data = self._encode(line)
        stream.write((data[:-1] + also if also else data).decode() + "\n")
        stream.flush()
