"""How one cloud charges: what each type of resource is billed for, in the names of its tariff.

A cloud states a `Charges` in its folder. Everything else of the estimate is the same for all clouds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.estimate.served import Calls, Served
from infra.estimate.use import Use
from infra.quotas import Declared

if TYPE_CHECKING:
    from infra.estimate.situation import Situation


@dataclass(frozen=True, kw_only=True)
class Second:
    """What one billed second of a function uses, and what is billed for a call."""

    uses: Sequence[Use]
    """For one second at work."""
    call: str
    """The price of a call."""
    billed_ms: int
    """The step to which a duration is rounded up."""


@dataclass(frozen=True, kw_only=True)
class Charges:
    """One cloud's bill."""

    function: str
    """The type of a function."""
    priced: Mapping[str, Callable[[Declared, Situation], Iterable[Use]]]
    """By type: what a resource is billed for."""
    free: Mapping[str, str]
    """By type: why a resource costs nothing by itself."""
    unpriced: Mapping[str, str]
    """By type: what a resource may cost, and why no price is here."""
    served: Callable[[Declared, Situation], Served]
    """Read a function of the graph."""
    work: Callable[[Served, Iterable[Calls]], Iterable[Use]]
    """What a function is billed for, called so."""
    standing: Callable[[Served], Iterable[Use]]
    """What it is billed for without any call."""
    second: Callable[[Served], Second]
    ceiling: Callable[[Declared, Situation], tuple[str, float] | None]
    """A bound on calls at once: the setting that has it, and how many."""
    requests: Callable[[Declared], float | None]
    """Read from a resource how many requests a second the API lets through, if it is the one that says so."""
    region: Callable[[Iterable[Declared]], str]
    """Read the region from a graph; empty where it does not say it."""
    here: Callable[[], str]
    """Return the region that the provider of a running program deploys into; empty where nobody says it."""
    regions: Sequence[str]
    """Those that a stack can be deployed into."""
    architectures: Sequence[str]
    """Those that functions can have."""
    memories: Sequence[int]
    """Sizes in MB that are worth a comparison."""
