"""The rollout plan of a stack: which share of the callers a challenger gets, for how long, step by step."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from functions.core.registry.pointer import Release

GRACE_SECONDS = 60.0
"""How long after a release's patience its judge may still come before it counts as abandoned."""


@dataclass(frozen=True, kw_only=True)
class RolloutPlan:
    """The steps of a release, and how long each of them is watched."""

    steps: tuple[int, ...]
    """Per cent of the callers at each step, rising."""
    bake_seconds: float
    patience: int
    """The most bakes that a step may take to see enough requests."""
    shadow: int | None = None
    """Per cent of the requests that a challenger is asked about as a shadow, before the first step; None: no shadow."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `{"steps": [10, 50], "bake_seconds": 600, "patience": 3, "shadow": null}`.

        Raise `ValueError` on other steps, and on a shadow other than 1 to 100 or null.
        """
        document = json.loads(text)
        steps = tuple(document["steps"])
        if not steps or list(steps) != sorted(set(steps)) or not all(1 <= step <= 99 for step in steps):
            raise ValueError("steps: accepted: one or more rising per cents from 1 to 99, as in [10, 50]")
        shadow = document.get("shadow")
        if shadow is not None and not 1 <= shadow <= 100:
            raise ValueError("shadow: accepted: 1 to 100 per cent of the requests, or null")
        bake, patience = float(document["bake_seconds"]), int(document["patience"])
        return cls(steps=steps, bake_seconds=bake, patience=patience, shadow=shadow)

    def due_at(self, release: Release) -> float:
        """Return when the bake under way is over, in seconds since the epoch."""
        return release.since + self.bake_seconds * (release.bakes + 1)

    @property
    def grace(self) -> float:
        """Seconds after the end of a bake at which a release counts as abandoned."""
        return GRACE_SECONDS + self.bake_seconds * self.patience

    @property
    def longest(self) -> float:
        """The longest that one release can take, in seconds."""
        watched = len(self.steps) + (self.shadow is not None)
        return self.bake_seconds * self.patience * watched + self.grace
