"""The rollout plan: through which shares of the callers, how slowly and how patiently a stack releases a version.

The settings validate it once; it travels to the rollout function as JSON, and is the same type
there.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Self

GRACE_SECONDS = 60.0
"""How late a judge may come, beyond the plan's own patience, before a release counts as abandoned."""


@dataclass(frozen=True, kw_only=True)
class RolloutPlan:
    """The steps of a release, and how long each of them is watched."""

    steps: tuple[int, ...]
    """Per cent of the callers who get the challenger, rising; 100 follows the last."""
    bake_seconds: float
    """How long each step is watched before it is judged."""
    patience: int
    """Bakes that a step may take to see enough requests, and the last one to see enough evidence."""
    shadow: int | None = None
    """Per cent of the requests that a challenger is asked about in shadow, before the first step."""

    def to_json(self) -> str:
        """Return the plan as `from_json` reads it; equal plans give equal text."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote. Raise `TypeError` for other members."""
        members: dict[str, Any] = json.loads(text)
        steps = tuple(members.pop("steps"))
        return cls(steps=steps, **members)

    def due_at(self, since: float, bakes: int) -> float:
        """Return when the current bake ends, for a step that began at `since` and has had `bakes` before it."""
        return since + self.bake_seconds * (bakes + 1)

    @property
    def grace(self) -> float:
        """Seconds after which a release that nobody judges counts as abandoned."""
        return GRACE_SECONDS + self.bake_seconds * self.patience

    def is_abandoned(self, since: float, bakes: int, now: float) -> bool:
        """Return whether nobody judges a step any more that began at `since` and has had `bakes` before its last."""
        return now > self.due_at(since, bakes) + self.grace

    def is_gone(self, asked: float, now: float) -> bool:
        """Return whether nobody asks any more for the turn of a release, which was last asked for at `asked`."""
        return now > asked + self.bake_seconds + self.grace
