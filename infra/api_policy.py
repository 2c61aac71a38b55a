"""The policy of an API: who may call it, how often, and from which pages. Each is part of a stack's settings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from infra.section import Section, Words, once


class IamAuth(Section):
    """Callers sign their requests with the cloud's own credentials."""

    kind: Literal["iam"] = "iam"


class JwtAuth(Section):
    kind: Literal["jwt"]
    issuer: Annotated[str, Field(pattern=r"^https://[!-~]+$"), Words("https://..., without spaces")]
    audience: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[!-~]+$"), Words("a text without spaces")], ...],
        Field(min_length=1),
        once(),
    ]


class NoAuth(Section):
    """Open to everyone who can reach it; the reason is shown in the preview."""

    kind: Literal["none"]
    reason: Annotated[str, Field(min_length=10), Words("a text of 10 characters or more")]


Auth = Annotated[IamAuth | JwtAuth | NoAuth, Field(discriminator="kind")]


class Throttling(Section):
    rate: int = Field(default=100, ge=1, le=10_000)
    """Requests a second."""
    burst: int = Field(default=200, ge=1, le=5_000)


class Cors(Section):
    origins: Annotated[
        tuple[
            Annotated[
                str, Field(pattern=r"^https?://[^*/\s]+$"), Words("https://..., never *, with nothing after the host")
            ],
            ...,
        ],
        once(str.casefold),
    ] = ()
    """Pages allowed to call the API; none by default, and never `*`."""
