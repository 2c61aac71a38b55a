"""The stack's way to a full release: how many callers, how long, how often."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from functions.core.pointer import Release

GRACE_SECONDS = 60.0
"""How late a judge may come before a release counts as abandoned, beside its own patience."""


@dataclass(frozen=True, kw_only=True)
class Stages:
    """The steps of a release, and how long each of them is watched."""

    steps: tuple[int, ...]
    """Per cent of the callers, rising."""
    bake_seconds: float
    patience: int
    """Bakes that a step may take to see enough requests."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `{"steps": [10, 50], "bake_seconds": 600, "patience": 3}`. Raises `ValueError` on other steps."""
        found = json.loads(text)
        steps = tuple(found["steps"])
        if not steps or list(steps) != sorted(set(steps)) or not all(1 <= step <= 99 for step in steps):
            raise ValueError("steps: accepted: one or more rising per cents from 1 to 99, as in [10, 50]")
        return cls(steps=steps, bake_seconds=float(found["bake_seconds"]), patience=int(found["patience"]))

    def due_at(self, release: Release) -> float:
        """When the bake under way is over."""
        return release.since + self.bake_seconds * (release.bakes + 1)

    @property
    def grace(self) -> float:
        return GRACE_SECONDS + self.bake_seconds * self.patience

    @property
    def longest(self) -> float:
        """The longest that one release can take."""
        return self.bake_seconds * self.patience * len(self.steps) + self.grace
