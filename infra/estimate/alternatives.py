"""What would be cheaper or greener: another memory, architecture, profile or region, and what it would save a month.

Only what the tables support is claimed. Both sides are computed by the same method, so a change of what is used is
as certain as the method; a region is called greener only where the bounds of the two grids do not meet, and no
architecture is: what there is of arm64's power is not measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from infra.estimate.bill import Bill, Figure, scaled
from infra.estimate.calls import calls
from infra.estimate.grid import grid
from infra.estimate.served import Served
from infra.estimate.situation import component
from infra.estimate.use import Use
from infra.quotas import Declared
from infra.scaling import Balanced, Eco, Latency, Profile

CHEAPER, GREENER, BOTH = "cheaper", "greener", "cheaper and greener"
LEAST_SHARE = 0.01
"""A saving below this share of what is compared is not worth a line."""
LEAST_USD = 0.01


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """One change of a setting."""

    setting: str
    """By its keys in the stack's file."""
    now: str
    other: str
    kind: str
    """`cheaper`, `greener`, or both."""
    usd: float | None
    """What it saves a month under the traffic; negative where it costs more."""
    grams: float | None
    condition: str = ""
    """What has to hold besides."""


def alternatives(bill: Bill) -> Iterator[Alternative]:
    """Yield the best change of each kind, if there is one."""
    if not bill.priced:
        return
    for function in bill.situation.graph:
        if function.type == bill.charges.function and component(function) in bill.situation.predicting:
            for options in (_memories(bill, function), _architectures(bill, function), _profiles(bill, function)):
                yield from _best(options)
    yield from _best(_regions(bill))


def _best(options: Iterable[Alternative]) -> Iterator[Alternative]:
    """Yield the option that saves most USD, and the one that saves most grams; once, if that is the same one."""
    offered = tuple(options)
    cheaper = max((each for each in offered if each.kind == CHEAPER), key=lambda each: each.usd or 0, default=None)
    greener = max((each for each in offered if each.kind == GREENER), key=lambda each: each.grams or 0, default=None)
    if cheaper is not None and greener is not None and cheaper.other == greener.other:
        yield replace(cheaper, kind=BOTH)
    else:
        yield from (each for each in (cheaper, greener) if each is not None)


def _functions_month(bill: Bill, name: str, served: Served) -> Figure:
    """Return a month of one function of another kind, under the same traffic."""
    uses: list[Use] = [*bill.charges.standing(served)]
    uses += bill.charges.work(served, calls(name, bill.situation) or ())
    return bill.figure(scaled(use, bill.times[use.per]) for use in uses)


def _changed(
    bill: Bill,
    function: Declared,
    other: Served,
    words: tuple[str, str, str],
    condition: str = "",
    *,
    claims_grams: bool = True,
) -> Iterator[Alternative]:
    name = component(function)
    now = _functions_month(bill, name, bill.charges.served(function, bill.situation))
    then = _functions_month(bill, name, other)
    setting, was, becomes = words
    yield from _compared(now, then, (setting, was, becomes), condition, claims_grams=claims_grams)


def _compared(
    now: Figure, then: Figure, words: tuple[str, str, str], condition: str, *, claims_grams: bool
) -> Iterator[Alternative]:
    """Yield a change as cheaper, if it is, and as greener, if it is and the tables say so."""
    setting, was, becomes = words
    usd = None if now.usd is None or then.usd is None else now.usd - then.usd
    grams = None if now.grams is None or then.grams is None else now.grams.central - then.grams.central
    told = Alternative(
        setting=setting,
        now=was,
        other=becomes,
        kind=CHEAPER,
        usd=usd,
        grams=grams if claims_grams else None,
        condition=condition,
    )
    if usd is not None and usd > max(LEAST_USD, LEAST_SHARE * (now.usd or 0)):
        yield told
    if claims_grams and grams is not None and now.grams is not None and grams > LEAST_SHARE * now.grams.central:
        yield replace(told, kind=GREENER)


def _setting(function: Declared, key: str) -> str:
    name = component(function)
    return f"functions.predict.{key}" if name == "predict" else f"scaling.models, {name}: {key}"


def _memories(bill: Bill, function: Declared) -> Iterator[Alternative]:
    served = bill.charges.served(function, bill.situation)
    for memory in bill.charges.memories:
        if memory != served.memory_mb:
            words = _setting(function, "memory_mb"), f"{served.memory_mb:,}", f"{memory:,}"
            less = memory < served.memory_mb
            condition = "if the models fit into it, and callers may wait longer" if less else ""
            yield from _changed(bill, function, replace(served, memory_mb=memory), words, condition)


def _architectures(bill: Bill, function: Declared) -> Iterator[Alternative]:
    served = bill.charges.served(function, bill.situation)
    for architecture in bill.charges.architectures:
        if architecture != served.architecture:
            words = "runtime.architecture", served.architecture, architecture
            condition = "if it is as fast; whether it is greener, no table here says"
            other = replace(served, architecture=architecture)
            yield from _changed(bill, function, other, words, condition, claims_grams=False)


def _profiles(bill: Bill, function: Declared) -> Iterator[Alternative]:
    served = bill.charges.served(function, bill.situation)
    offered: tuple[Profile, ...] = (Eco(), Balanced(), Latency())
    for profile in offered:
        if profile.profile != served.profile.profile:
            words = _setting(function, "profile"), served.profile.profile, profile.profile
            condition = "" if isinstance(profile, Latency) else "if callers may wait for a cold start"
            yield from _changed(bill, function, replace(served, profile=profile), words, condition)


def _regions(bill: Bill) -> Iterator[Alternative]:
    here, now = bill.grid, bill.month()
    for region in bill.charges.regions:
        if region == bill.region or region not in bill.tariff.regions:
            continue
        there = grid(bill.tariff.cloud, region)
        apart = here is not None and there is not None and here.grams_per_kwh.above(there.grams_per_kwh)
        other = Bill(replace(bill.situation, region=region), bill.charges, bill.tariff)
        words = f"{bill.tariff.cloud}:region", bill.region, region
        condition = "if data and callers may be there; data that moves is not priced"
        yield from _compared(now, other.month(), words, condition, claims_grams=apart)
