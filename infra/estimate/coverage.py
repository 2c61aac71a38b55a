"""What of a graph is priced, what is known to cost nothing, and what nobody has priced: by name, never silently."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from infra.estimate.bill import Bill
from infra.estimate.calls import calls
from infra.estimate.situation import component

UNKNOWN = "nobody has said what this type of resource costs"
NEVER_CALLED = "nobody has said how often this function is called"


@dataclass(frozen=True, kw_only=True)
class Covered:
    """Resources of one type, and why they have no price of their own."""

    what: str
    names: tuple[str, ...]
    why: str


def not_priced(bill: Bill) -> Iterator[Covered]:
    """Yield what may cost something and is in no figure."""
    charges, graph = bill.charges, bill.situation.graph
    kinds = sorted({resource.type for resource in graph})
    for kind in kinds:
        if kind not in charges.priced and kind not in charges.free:
            names = tuple(sorted(resource.name for resource in graph if resource.type == kind))
            yield Covered(what=kind, names=names, why=charges.unpriced.get(kind, UNKNOWN))
    for kind, why in charges.unpriced.items():
        if ":" not in kind:
            yield Covered(what=kind, names=(), why=why)
    for resource in graph:
        if resource.type == charges.function and calls(component(resource), bill.situation) is None:
            yield Covered(what=resource.type, names=(resource.name,), why=NEVER_CALLED)


def free_of_charge(bill: Bill) -> Iterator[Covered]:
    """Yield what costs nothing by itself, with the reason."""
    for kind, why in bill.charges.free.items():
        if names := tuple(sorted(each.name for each in bill.situation.graph if each.type == kind)):
            yield Covered(what=kind, names=names, why=why)


@dataclass(frozen=True, kw_only=True)
class Saved:
    """What a free tier takes off a month, if no other stack of the account uses it."""

    name: str
    quantity: float
    unit: str
    usd: float
    source: str
    unverified: bool


def free_tiers(bill: Bill) -> Iterator[Saved]:
    """Yield the free tiers that a month of the traffic meets."""
    for tier in bill.tariff.free:
        used = sum(bill.quantities.get(price, 0.0) for price in tier.prices)
        if used <= 0:
            continue
        share = min(tier.quantity / used, 1.0)
        usd = sum(bill.quantities.get(price, 0.0) * share * bill.unit_usd(price) for price in tier.prices)
        yield Saved(
            name=tier.name,
            quantity=tier.quantity,
            unit=bill.tariff.prices[tier.prices[0]].unit,
            usd=usd,
            source=tier.source,
            unverified=tier.unverified,
        )
