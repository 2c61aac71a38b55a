"""What a function logged: of the stack that is up here, by its process, and of one in an account, by its cloud."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from sml.clouds import account
from sml.log_line import Level, LogLine, read

if TYPE_CHECKING:
    from sml.clouds import Account
    from sml.here import Here
    from sml.stack import Stack

LATE_SECONDS = 30.0
"""How much later than a newer line a cloud may tell of an older one."""
MOST = 10_000
"""Lines that are asked for at once."""


class Log(Protocol):
    """The log of one function."""

    def newest(self, most: int) -> list[LogLine]:
        """Return the newest lines, the oldest first."""
        ...

    def after(self) -> list[LogLine]:
        """Return what came after those that were returned."""
        ...


class LogHere:
    """The log of a function of the stack that is up here."""

    def __init__(self, here: Here, function: str, *, since: float, level: Level | None) -> None:
        self._here, self._function = here, function
        self._since, self._level = since, level
        self._shown: list[str] = []
        self._at = 0.0
        """When the last line was logged."""

    def newest(self, most: int) -> list[LogLine]:
        asked = most if self._level is None and not self._since else MOST
        self._shown = self._lines(asked)
        return self._asked_for(self._shown)[-most:]

    def after(self) -> list[LogLine]:
        newer = self._lines(MOST)
        lines, self._shown = _after(self._shown, newer), newer
        return self._asked_for(lines)

    def _lines(self, count: int) -> list[str]:
        return self._here.ask("logs", function=self._function, lines=count)["lines"]

    def _asked_for(self, lines: list[str]) -> list[LogLine]:
        return [line for line in map(self._read, lines) if line.matters(self._level, self._since)]

    def _read(self, text: str) -> LogLine:
        """Return a line; one that says no time has that of the line before."""
        line = read(text)
        self._at = line.at or self._at
        return replace(line, at=self._at)


class LogElsewhere:
    """The log of a function of a stack in an account."""

    def __init__(self, cloud: Account, place: str, *, since: float, level: Level | None) -> None:
        self._cloud, self._place = cloud, place
        self._since, self._level = since, level
        self._seen: dict[str, float] = {}

    def newest(self, most: int) -> list[LogLine]:
        return self._new(self._cloud.logged(self._place, since=self._since, level=self._level, most=most))

    def after(self) -> list[LogLine]:
        last = max(self._seen.values(), default=time.time())
        since = max(self._since, last - LATE_SECONDS)
        self._seen = {key: at for key, at in self._seen.items() if at >= since}
        return self._new(self._cloud.logged(self._place, since=since, level=self._level, most=MOST))

    def _new(self, lines: list[LogLine]) -> list[LogLine]:
        new = [line for line in lines if line.key not in self._seen]
        self._seen |= {line.key: line.at for line in new}
        return new


def log_of(stack: Stack, function: str, *, since: float = 0.0, level: Level | None = None) -> Log:
    """Return the log of a function. Raise `Mistake` for one that the stack does not have."""
    place = stack.function(function)["logs"]
    if stack.here is not None:
        return LogHere(stack.here, function, since=since, level=level)
    return LogElsewhere(account(stack.scheme), place, since=since, level=level)


def _after(shown: list[str], newer: list[str]) -> list[str]:
    """Return the lines that came after those that were shown."""
    if not shown:
        return newer
    last = shown[-min(len(shown), 50) :]
    for start in range(len(newer) - len(last), -1, -1):
        if newer[start : start + len(last)] == last:
            return newer[start + len(last) :]
    return newer
