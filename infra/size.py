"""How large a function is."""

from __future__ import annotations

from pydantic import Field

from infra.section import Section


class Size(Section):
    """Memory, time and copies of one function."""

    memory_mb: int = Field(ge=128, le=10_240)
    timeout_seconds: int = Field(ge=3, le=900)
    concurrency: int = Field(ge=1, le=1000)
    """The most requests that are answered at once."""
