"""What the emulator's process writes down of what happens in it (`launcher.py`), as events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from localcloud.engine.events import Event, Failed, Logged, Written
from localcloud.support.tail import Tail

FILE = "happenings"
"""In the emulator's folder: a line of JSON for each event."""


class Happenings:
    """Reads the events in the file `path`."""

    def __init__(self, path: Path) -> None:
        self._tail = Tail(path)

    def take(self) -> Iterator[Event]:
        """Yield what happened since the last call."""
        for line in self._tail.lines():
            match json.loads(line):
                case {"bucket": str(bucket), "key": str(key)}:
                    yield Written(url=f"s3://{bucket}", key=key)
                case {"function": str(function), "line": str(text)}:
                    yield Logged(function=function, line=text)
                case {"function": str(function), "error": str(error), "trace": str(trace)}:
                    yield Failed(function=function, error=error, trace=trace)
