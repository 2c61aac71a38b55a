"""Scaling: how copies of a predict function come and go, as a profile with a name.

Whatever the profile, at most `functions.predict.concurrency` requests are answered at once:
that bounds what a flood can cost. What each cloud does for a profile, and what it costs, is
told in docs/scaling.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from infra.section import Cron, Name, Section

SHARED = 8
"""Requests that a copy is given at once, on a cloud where several callers can share one. Not under eco."""


class Hours(Section):
    """A part of the week with a minimum of its own, UTC."""

    opens: Cron
    closes: Cron
    minimum: int = Field(ge=1, le=1000)
    """Copies kept ready from `opens` to `closes`."""


class Eco(Section):
    """To zero: a copy starts when it is asked for; nothing is paid for while nobody asks."""

    profile: Literal["eco"] = "eco"


class Balanced(Section):
    """To zero, too, but what a start needs is prepared ahead, or shared by several callers."""

    profile: Literal["balanced"] = "balanced"


class Latency(Section):
    """Copies are kept ready, their models open, and more of them as they are used."""

    profile: Literal["latency"] = "latency"
    minimum: int = Field(default=1, ge=1, le=1000)
    """Copies kept ready at any hour."""
    hours: tuple[Hours, ...] = ()


Profile = Eco | Balanced | Latency


def plain(found: Profile) -> Profile:
    """The profile alone, without what else is said beside it."""
    match found:
        case Eco():
            return Eco()
        case Balanced():
            return Balanced()
        case Latency():
            return Latency(minimum=found.minimum, hours=found.hours)


class Size(Section):
    """What one model needs otherwise than the stack's predict function."""

    memory_mb: int | None = Field(default=None, ge=128, le=10_240)
    concurrency: int | None = Field(default=None, ge=1, le=1000)


class EcoModel(Eco, Size):
    """A model's own scaling, and its size."""


class BalancedModel(Balanced, Size):
    """A model's own scaling, and its size."""


class LatencyModel(Latency, Size):
    """A model's own scaling, and its size."""


ModelScaling = Annotated[EcoModel | BalancedModel | LatencyModel, Field(discriminator="profile")]


class Models(Section):
    models: Mapping[Name, ModelScaling] = Field(default_factory=dict)
    """Models with a predict function of their own; the others share one."""


class EcoStack(Eco, Models):
    """The stack's scaling, and that of single models."""


class BalancedStack(Balanced, Models):
    """The stack's scaling, and that of single models."""


class LatencyStack(Latency, Models):
    """The stack's scaling, and that of single models."""


def _profile(given: Any) -> str | None:
    """A stack that only says how single models scale has the first profile itself."""
    return given.get("profile", "eco") if isinstance(given, dict) else getattr(given, "profile", None)


Scaling = Annotated[
    Annotated[EcoStack, Tag("eco")]
    | Annotated[BalancedStack, Tag("balanced")]
    | Annotated[LatencyStack, Tag("latency")],
    Discriminator(_profile),
]
