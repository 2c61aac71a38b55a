"""What a new account of a cloud has, and what a stack wants of it.

Limits (limits.py) are the same for everybody; a quota is an account's own, and can be raised. Each
cloud's folder has its table, `quotas.py`, and reads from a graph what the stack wants: the preview
compares that with a new account, and whoever can ask a real account compares it with the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class Declared(Protocol):
    """A resource of a graph."""

    @property
    def type(self) -> str: ...

    @property
    def name(self) -> str:
        """Its logical name."""
        ...

    @property
    def parent(self) -> str:
        """The URN of its component."""
        ...

    @property
    def inputs(self) -> Mapping[str, Any]:
        """By the provider's camelCase names."""
        ...


@dataclass(frozen=True, kw_only=True)
class Quota:
    """A quota of an account, in a region."""

    name: str
    """What the cloud's console calls it."""
    service: str
    """The service that has it, by the name that the cloud's API of quotas uses."""
    code: str
    """Its id in that API; empty where the API does not know it."""
    usual: int
    """What a new account has."""
    unit: str
    """What is counted, in the plural."""
    scale: int = 1
    """How much of the figure is one unit: 1,000 where thousandths are counted."""
    settings: str
    """The settings that lower what a stack wants."""
    ask: str
    """Where to ask for more."""
    sources: tuple[str, ...]
    read_on: str
    certain: bool = True
    """Whether the cloud's own pages state the figure; otherwise it is known from refusals alone."""

    def shown(self, figure: int) -> str:
        """Return a figure in units."""
        return f"{figure / self.scale:,.1f}".removesuffix(".0")


@dataclass(frozen=True, kw_only=True)
class Want:
    """How much of a quota a stack wants."""

    quota: Quota
    wanted: int
    """With everything at work that may be at work at once."""
    to_deploy: int
    """Below this the cloud refuses the deployment; with less than `wanted`, calls are refused later."""

    def fits(self, quota: int) -> bool:
        """Return whether an account with this quota has what the stack wants."""
        return max(self.wanted, self.to_deploy) <= quota


def beyond(wants: Iterable[Want]) -> list[Want]:
    """Return what a new account does not have."""
    return [want for want in wants if not want.fits(want.quota.usual)]
