"""An alarm of a stack, as its cloud tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class State(StrEnum):
    FIRING = "firing"
    QUIET = "quiet"
    NO_DATA = "no data"
    """It was made a moment ago, and nothing was measured yet."""
    GONE = "gone"
    """The outputs name it, and the cloud has none: somebody has deleted it, or `pulumi up` has not ended."""


@dataclass(frozen=True, kw_only=True)
class Alarm:
    name: str
    """As docs/watching.md has it."""
    state: State
    since: float | None = None
    """When it began to fire, in seconds since 1970; None for one that does not."""
    text: str = ""
    """What a person is sent."""

    @property
    def document(self) -> dict[str, Any]:
        """It as JSON."""
        began = None if self.since is None else datetime.fromtimestamp(self.since, UTC).isoformat(timespec="seconds")
        return {"name": self.name, "state": str(self.state), "since": began, "text": self.text}
