"""The lines that functions log: what a line says of itself, and which of them are asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sml.mistake import Mistake

AGO = re.compile(r"(?P<count>[0-9]{1,6})(?P<unit>[smhd])", re.ASCII)
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
FAILED = frozenset({"error", "failure", "timeout"})
"""How Lambda reports a call that ended so:
https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#telemetry-api-platform-reportobject"""


Fields = tuple[tuple[str, str], ...]
"""Names and values of which a line has to have one."""


class Level(StrEnum):
    """How much a line matters, from the least."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def and_above(self) -> tuple[str, ...]:
        """The names, in capitals, of this level and of those that matter more."""
        every = [level.name for level in Level]
        return (*every[every.index(self.name) :], "CRITICAL")


@dataclass(frozen=True, kw_only=True)
class LogLine:
    """One line."""

    text: str
    at: float
    """When it was logged, in seconds since 1970."""
    level: str
    """In capitals; empty for a line that does not say."""
    key: str = ""
    """Which line it is, where the cloud says."""

    @property
    def document(self) -> dict[str, Any]:
        """It as JSON: what was logged as an object stays one."""
        said = _object(self.text)
        at = datetime.fromtimestamp(self.at, UTC).isoformat(timespec="milliseconds")
        return {"time": at, "level": self.level, "message": self.text if said is None else said}

    def matters(self, level: Level | None, since: float) -> bool:
        """Return whether it is asked for."""
        return self.at >= since and (level is None or self.level in level.and_above)


def read(text: str, at: float | None = None, key: str = "") -> LogLine:
    """Return a line by what it says of itself; `at` is when the cloud got it, where the cloud tells."""
    said = _object(text) or {}
    level = str(said.get("level") or said.get("severity") or said.get("log_level") or "").upper()
    record = said.get("record")
    if not level and isinstance(record, Mapping) and record.get("status") in FAILED:
        level = Level.ERROR.name
    written = said.get("time")
    own = float(written) if isinstance(written, int | float) and not isinstance(written, bool) else 0.0
    return LogLine(text=text.rstrip("\n"), at=own if at is None else at, level=level, key=key)


def ago(text: str, now: float) -> float:
    """Return the time that lies so far back: 10m. Raise `Mistake` for what is no such time."""
    found = AGO.fullmatch(text.strip())
    if found is None:
        raise Mistake(f"--since {text}: a number with s, m, h or d is accepted, such as 10m or 2d")
    return now - int(found["count"]) * SECONDS[found["unit"]]


def _object(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
