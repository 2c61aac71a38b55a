"""The tiers of clouds, and what a cloud of each promises."""

from __future__ import annotations

from enum import Enum


class Tier(Enum):
    """What a cloud promises; each tier promises what those before it do. docs/add-a-cloud.md says what each needs."""

    PREVIEW = "preview"
    """Its folder renders the whole graph, which its rules and limits are checked against."""
    DEPLOYABLE = "deployable"
    """Its functions exist: their adapters, and the archives that are uploaded for them."""
    EMBEDDED = "embedded"
    """The same program runs in an embedded cloud on one machine."""

    def includes(self, other: Tier) -> bool:
        """Return whether a cloud of this tier keeps everything that `other` promises."""
        order = list(Tier)
        return order.index(self) >= order.index(other)
