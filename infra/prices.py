"""List prices: what a profile costs a month, and from which rate of requests it costs less than another.

The prices hold without free tiers, discounts and taxes, for requests that are spread evenly,
one after the other as far as that is possible. What all profiles pay alike is left out: the
API, the stores, the price of a request itself. `python -m infra.prices` writes the tables of
docs/scaling.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from infra.scaling import Balanced, Eco, Latency, Profile

MONTH = 30 * 24 * 3600
"""Seconds."""
RATES = (1e-3, 1e4)
"""Requests a second: a break-even is searched for between these two."""
STEP = 1.02
"""The factor between two rates that the search tries."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """The requests that a predict function gets, and its memory."""

    rate: float = 0
    """Requests a second."""
    seconds: float
    """How long one of them takes alone on a whole processor."""
    memory_mb: int


class Tariff(Protocol):
    """One cloud's prices."""

    @property
    def sources(self) -> tuple[str, ...]: ...

    @property
    def read_on(self) -> str: ...

    def monthly(self, profile: Profile, load: Load) -> float:
        """Return what the load costs with that profile, in USD a month."""
        ...


@dataclass(frozen=True, kw_only=True)
class Lambda:
    """Pay for memory, by the millisecond, which brings a share of a processor. us-east-1, x86."""

    on_demand: float = 0.0000166667
    """USD for one GB and one second, as the next three."""
    provisioned: float = 0.0000041667
    provisioned_at_work: float = 0.0000097222
    snapshot: float = 0.0000015046
    restored: float = 0.0001397998
    """USD for a GB."""
    starts_an_hour: float = 60
    """Starts of copies from a snapshot, assumed for `balanced`."""
    processor_mb: int = 1769
    """Memory that brings one vCPU: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""
    sources: tuple[str, ...] = ("https://aws.amazon.com/lambda/pricing/",)
    read_on: str = "2026-11-24"

    def monthly(self, profile: Profile, load: Load) -> float:
        at_work = load.rate * load.seconds / min(load.memory_mb / self.processor_mb, 1)
        match profile:
            case Eco():
                second = at_work * self.on_demand
            case Balanced():
                starts = self.starts_an_hour / 3600 * self.restored if load.rate else 0
                second = at_work * self.on_demand + self.snapshot + starts
            case Latency():
                ready = min(at_work, profile.minimum)
                kept = profile.minimum * self.provisioned + ready * self.provisioned_at_work
                second = kept + (at_work - ready) * self.on_demand
        return second * load.memory_mb / 1024 * MONTH


@dataclass(frozen=True, kw_only=True)
class CloudRun:
    """Pay for the processors and memory of an instance while it works, by tenths of a second. Tier 1."""

    processor: float = 0.000024
    """USD for one processor and one second."""
    memory: float = 0.0000025
    """USD for one GiB and one second."""
    waiting_processor: float = 0.0000025
    """USD for one processor and one second of an instance that only waits."""
    waiting_memory: float = 0.0000025
    tenth: float = 0.1
    sources: tuple[str, ...] = (
        "https://cloud.google.com/run/pricing",
        "https://cloud.google.com/functions/docs/configuring/memory",
    )
    read_on: str = "2026-11-24"

    def monthly(self, profile: Profile, load: Load) -> float:
        gib = load.memory_mb / 1024
        if isinstance(profile, Eco):
            share = _processors(load.memory_mb, SHARES)
            at_work = load.rate * self._billed(load.seconds / min(share, 1))
            return at_work * (share * self.processor + gib * self.memory) * MONTH
        whole = _processors(load.memory_mb, WHOLE)
        # Requests that overlap pay for the same tenths of a second, until the processor has no time left.
        at_work = max(min(load.rate * self._billed(load.seconds), 1), load.rate * load.seconds)
        waiting = max(profile.minimum - at_work, 0) if isinstance(profile, Latency) else 0
        waits = waiting * (whole * self.waiting_processor + gib * self.waiting_memory)
        return (at_work * (whole * self.processor + gib * self.memory) + waits) * MONTH

    def _billed(self, seconds: float) -> float:
        return math.ceil(seconds / self.tenth - 1e-9) * self.tenth


SHARES: Mapping[int, float] = {128: 0.083, 256: 0.167, 512: 0.333, 1024: 0.583, 2048: 1, 4096: 2, 8192: 2, 16_384: 4}
"""Processors of an instance by its memory in MB, where the profile asks for none."""
WHOLE: Mapping[int, float] = {4096: 1, 8192: 2, 16_384: 4}
"""Processors of an instance that several callers share, by its memory in MB: see infra/gcp/scaling.py."""
TARIFFS: Mapping[str, Tariff] = {"aws": Lambda(), "gcp": CloudRun()}


def break_even(tariff: Tariff, profile: Profile, load: Load, other: Profile | None = None) -> float | None:
    """Return the least rate, in requests a second, at which `profile` costs no more than `other`.

    Return None if there is no such rate. `other` is `eco` by default.
    """
    other = other or Eco()

    def cheaper(rate: float) -> bool:
        at = replace(load, rate=rate)
        return tariff.monthly(profile, at) <= tariff.monthly(other, at) * (1 + 1e-12)

    low, high = RATES
    if cheaper(low):
        return 0.0
    rate = low
    while not cheaper(rate * STEP):
        rate *= STEP
        if rate > high:
            return None
    dear, cheap = rate, rate * STEP
    while cheap - dear > dear * 1e-9:
        middle = (dear + cheap) / 2
        dear, cheap = (dear, middle) if cheaper(middle) else (middle, cheap)
    return cheap


def _processors(memory_mb: int, by_memory: Mapping[int, float]) -> float:
    return next(processors for limit_mb, processors in by_memory.items() if memory_mb <= limit_mb)


def table(tariff: Tariff) -> Iterator[str]:
    """Render one cloud's figures as the lines of a Markdown table."""
    columns = ("`balanced`, idle", "less than `eco`", "`latency`, one copy, idle", "less than `eco`")
    yield f"| memory | a prediction takes | {' | '.join(columns)} |"
    yield "|" + 6 * " --- |"
    for memory_mb in (1024, 2048):
        for seconds in (0.005, 0.05, 0.5):
            load = Load(seconds=seconds, memory_mb=memory_mb)
            cells = [f"{memory_mb:,} MB", f"{seconds * 1000:g} ms"]
            for profile in (Balanced(), Latency()):
                cells.append(f"{tariff.monthly(profile, load):.2f} USD")
                cells.append(_rate(break_even(tariff, profile, load)))
            yield f"| {' | '.join(cells)} |"


def _rate(rate: float | None) -> str:
    match rate:
        case None:
            return "never"
        case 0.0:
            return "at any rate"
        case _:
            return f"from {rate:.3g}/s"


if __name__ == "__main__":
    for name, tariff in TARIFFS.items():
        print(f"{name}\n", *table(tariff), sep="\n")
