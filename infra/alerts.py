"""When somebody is told about a stack, and where: a part of a stack's settings."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from infra.section import Section, Words, once

Email = Annotated[
    str,
    Field(pattern=r"^[^\s@,;<>\"]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,24}$"),
    Words("an address: you@example.org"),
]


class Alerts(Section):
    """The alarms of a stack, their bounds, and who hears of them."""

    alarms: bool = True
    """Whether the stack has alarms."""
    email: Annotated[tuple[Email, ...], Field(max_length=10), once(str.casefold)] = ()
    webhook: Annotated[str | None, Field(pattern=r"^https://[!-~]{4,2000}$"), Words("https://..., without spaces")] = (
        None
    )
    latency_ms: int = Field(default=1000, ge=1, le=900_000)
    """The 95 % point of a request's time in the function, from which on it is an alarm."""
    silence_minutes: Annotated[int | None, Field(ge=10, le=1440)] = None
    """Minutes without a request that are an alarm; None for a stack that may be quiet."""
    objective: float = Field(default=99.5, ge=90, le=99.99)
    """Per cent of the requests that are answered without a fault of ours."""
    dashboard: bool = True
    """Whether the stack has a dashboard of its alarms, where it has alarms."""

    @model_validator(mode="after")
    def _told_of_something(self) -> Self:
        if not self.alarms and (self.email or self.webhook):
            raise ValueError("alarms is false, so that nobody would ever be told: leave out email and webhook")
        return self
