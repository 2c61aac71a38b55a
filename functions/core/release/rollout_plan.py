"""The stack's way to a full release: how many callers, how long, how often."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from functions.core.registry.pointer import Release

GRACE_SECONDS = 60.0
"""How late a judge may come before a release counts as abandoned, beside its own patience."""


@dataclass(frozen=True, kw_only=True)
class RolloutPlan:
    """The steps of a release, and how long each of them is watched."""

    steps: tuple[int, ...]
    """Per cent of the callers, rising."""
    bake_seconds: float
    patience: int
    """Bakes that a step may take to see enough requests."""
    shadow: int | None = None
    """Per cent of the requests that a challenger is asked about in the dark, before the first step."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `{"steps": [10, 50], "bake_seconds": 600, "patience": 3, "shadow": null}`.

        Raises `ValueError` on other steps, and on another share in the dark than 1 to 100.
        """
        found = json.loads(text)
        steps = tuple(found["steps"])
        if not steps or list(steps) != sorted(set(steps)) or not all(1 <= step <= 99 for step in steps):
            raise ValueError("steps: accepted: one or more rising per cents from 1 to 99, as in [10, 50]")
        shadow = found.get("shadow")
        if shadow is not None and not 1 <= shadow <= 100:
            raise ValueError("shadow: accepted: 1 to 100 per cent of the requests, or null")
        bake, patience = float(found["bake_seconds"]), int(found["patience"])
        return cls(steps=steps, bake_seconds=bake, patience=patience, shadow=shadow)

    def due_at(self, release: Release) -> float:
        """When the bake under way is over."""
        return release.since + self.bake_seconds * (release.bakes + 1)

    @property
    def grace(self) -> float:
        return GRACE_SECONDS + self.bake_seconds * self.patience

    @property
    def longest(self) -> float:
        """The longest that one release can take."""
        watched = len(self.steps) + (self.shadow is not None)
        return self.bake_seconds * self.patience * watched + self.grace
