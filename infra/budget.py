"""What a stack may cost in a month, who hears of it on the way, and whether it stops itself: a part of its settings."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from infra.section import Section, Words, once

Share = Annotated[float, Field(ge=0.05, le=2)]


class Budget(Section):
    """The budget of a stack, which the cloud itself watches."""

    usd_a_month: int = Field(ge=1, le=10_000_000)
    warn_at: Annotated[tuple[Share, ...], Field(max_length=4), once()] = (0.5, 0.8)
    """The shares of it from which on those who are told of alarms are told of it, too."""
    stop_at: Share | None = None
    """The share of it from which on the stack is stopped. None: nothing stops it, and no function could."""
    billing_account: Annotated[
        str | None,
        Field(pattern=r"^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$"),
        Words("the id of a billing account: 01A2B3-4C5D6E-7F8091"),
    ] = None
    """Who pays for the project, where budgets belong to that."""

    @property
    def limit(self) -> float | None:
        """USD in a month from which on the stack is stopped; None where nothing stops it."""
        return None if self.stop_at is None else round(self.usd_a_month * self.stop_at, 2)
