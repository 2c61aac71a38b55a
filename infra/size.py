"""How large a function is."""

from __future__ import annotations

from pydantic import Field

from infra.section import Section


class Size(Section):
    """Memory, time and copies of one function."""

    memory_mb: int = Field(ge=128, le=10_240)
    timeout_seconds: int = Field(ge=3, le=900)
    concurrency: int | None = Field(default=None, ge=1, le=1000)
    """The most requests that are answered at once, reserved where a cloud can bound them in no other way. Without it
    nothing is reserved, and what bounds a flood is what docs/scaling.md says."""


class OwnSize(Section):
    """What one model's function needs other than the function that the others share: None keeps its figure."""

    memory_mb: int | None = Field(default=None, ge=128, le=10_240)
    timeout_seconds: int | None = Field(default=None, ge=3, le=900)
    concurrency: int | None = Field(default=None, ge=1, le=1000)
