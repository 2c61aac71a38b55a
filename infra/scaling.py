"""Scaling profiles: how copies of a predict function come and go.

Whatever the profile, at most `functions.predict.concurrency` requests are answered at once, where
it is set: that bounds what a flood can cost. docs/scaling.md says what bounds one without it, what
each cloud does for a profile, and what it costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from infra import cron
from infra.section import Cron, Name, Section, once

SHARED = 8
"""Requests that one copy answers at once, on a cloud where several callers can share it. Not under eco."""


class Hours(Section):
    """A part of the week with a minimum of its own, UTC."""

    opens: Cron
    closes: Cron
    minimum: int = Field(ge=1, le=1000)
    """Copies kept ready from `opens` to `closes`."""


class Eco(Section):
    """Scale to zero: a copy starts when a request needs it; an idle function costs nothing."""

    profile: Literal["eco"] = "eco"


class Balanced(Section):
    """Scale to zero, too, but prepare what a start needs ahead, or share it among several callers."""

    profile: Literal["balanced"] = "balanced"


class Latency(Section):
    """Keep copies ready, their models open, and start more of them as they are used."""

    profile: Literal["latency"] = "latency"
    minimum: int = Field(default=1, ge=1, le=1000)
    """Copies kept ready at any hour."""
    hours: Annotated[tuple[Hours, ...], once(lambda part: cron.parse(part.opens), lambda part: part.opens)] = ()
    """Parts of the week, no two of which open at the same times."""


Profile = Eco | Balanced | Latency


def profile_of(scaling: Profile) -> Profile:
    """Return the profile alone, without the settings that stand next to it."""
    match scaling:
        case Eco():
            return Eco()
        case Balanced():
            return Balanced()
        case Latency():
            return Latency(minimum=scaling.minimum, hours=scaling.hours)


class Size(Section):
    """What one model needs other than the stack's predict function: None keeps the stack's figure."""

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
    """The scaling of single models."""

    models: Mapping[Name, ModelScaling] = Field(default_factory=dict)
    """Models with a predict function of their own; the others share one."""


class EcoStack(Eco, Models):
    """The stack's scaling, and that of single models."""


class BalancedStack(Balanced, Models):
    """The stack's scaling, and that of single models."""


class LatencyStack(Latency, Models):
    """The stack's scaling, and that of single models."""


def _profile(value: Any) -> str | None:
    """Return the tag of a stack's scaling: `eco` where it only says how single models scale."""
    return value.get("profile", "eco") if isinstance(value, dict) else getattr(value, "profile", None)


Scaling = Annotated[
    Annotated[EcoStack, Tag("eco")]
    | Annotated[BalancedStack, Tag("balanced")]
    | Annotated[LatencyStack, Tag("latency")],
    Discriminator(_profile),
]
