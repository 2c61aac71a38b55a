"""A function as its bill sees it, and how it is called."""

from __future__ import annotations

from dataclasses import dataclass, field

from infra.estimate.use import Per
from infra.scaling import Eco, Profile


@dataclass(frozen=True, kw_only=True)
class Served:
    """One function: what of it decides what a second costs."""

    memory_mb: int
    architecture: str = "x86_64"
    profile: Profile = field(default_factory=Eco)
    published_versions: int = 1
    """Versions of its code that exist: a cloud that keeps a snapshot of each bills each."""


@dataclass(frozen=True, kw_only=True)
class Calls:
    """How a function is called, and for how long it works each time."""

    per: Per
    number: float
    """Calls for one prediction, run, job or month."""
    seconds: float
    """How long one takes alone on a whole processor."""
    rate: float = 0.0
    """Calls a second, all together; 0 where they are rare, and never meet."""
    starts_a_call: float = 0.0
    """Starts of a copy for one call."""
    start_seconds: float = 0.0
    """How long a start takes until the copy answers."""
