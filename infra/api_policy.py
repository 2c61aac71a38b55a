"""The policy of an API: who may call it, how often, and from which pages. Each is part of a stack's settings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from infra.section import Section


class IamAuth(Section):
    """Callers sign their requests with the cloud's own credentials."""

    kind: Literal["iam"] = "iam"


class JwtAuth(Section):
    kind: Literal["jwt"]
    issuer: str = Field(pattern=r"^https://[!-~]+$")
    audience: tuple[Annotated[str, Field(pattern=r"^[!-~]+$")], ...] = Field(min_length=1)


class NoAuth(Section):
    """Open to everyone who can reach it; the reason is shown in the preview."""

    kind: Literal["none"]
    reason: str = Field(min_length=10)


Auth = Annotated[IamAuth | JwtAuth | NoAuth, Field(discriminator="kind")]


class Throttling(Section):
    rate: int = Field(default=100, ge=1, le=10_000)
    """Requests a second."""
    burst: int = Field(default=200, ge=1, le=5_000)


class Cors(Section):
    origins: tuple[Annotated[str, Field(pattern=r"^https?://[^*/\s]+$")], ...] = ()
    """Pages allowed to call the API; none by default, and never `*`."""
