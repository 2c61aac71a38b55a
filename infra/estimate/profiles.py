"""What a scaling profile costs a month, and from which rate of requests it costs less than another.

Without free tiers, discounts and taxes, for requests that are spread evenly, one after the other as far as that is
possible, in the region that a tariff is written for. What all profiles pay alike is left out: the API, the stores, the
price of a request itself. `python -m infra.estimate.profiles` writes the tables of docs/scaling.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from infra import clouds
from infra.estimate.charges import Charges
from infra.estimate.demand import MONTH
from infra.estimate.served import Calls, Served
from infra.estimate.tariff import Tariff, tariff
from infra.estimate.use import Per
from infra.scaling import Balanced, Eco, Latency, Profile

RATES = (1e-3, 1e4)
"""Requests a second: a break-even is searched for between these two."""
STEP = 1.05
"""The factor between two rates that the search tries."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """The requests that a predict function gets, and its memory."""

    rate: float = 0
    """Requests a second."""
    seconds: float
    """How long one of them takes alone on a whole processor."""
    memory_mb: int
    starts_an_hour: float = 60
    """Cold starts, while there are requests; a copy that is kept ready has none."""
    start_seconds: float = 0.5
    """How long one takes on a whole processor."""
    published_versions: int = 1


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """One cloud's prices, and how it charges."""

    tariff: Tariff
    charges: Charges

    def monthly(self, profile: Profile, load: Load) -> float:
        """Return what the load costs with that profile, in USD a month."""
        served = Served(memory_mb=load.memory_mb, profile=profile, published_versions=load.published_versions)
        starts = min(load.starts_an_hour / 3600 / load.rate, 1.0) if load.rate else 0.0
        called = Calls(
            per=Per.PREDICTION,
            number=load.rate * MONTH,
            seconds=load.seconds,
            rate=load.rate,
            starts_a_call=starts,
            start_seconds=load.start_seconds,
        )
        request = self.charges.second(served).call
        uses = [*self.charges.standing(served), *(self.charges.work(served, [called]) if load.rate else ())]
        return sum(
            use.quantity * self.tariff.prices[use.price].unit_usd(self.tariff.base)
            for use in uses
            if use.price != request
        )


def cloud(name: str) -> Cloud:
    """Return the prices of a cloud that has a tariff. Raise `LookupError` for one without."""
    prices, charges = tariff(name), clouds.find(name).charges
    if prices is None or charges is None:
        raise LookupError(f"{name}: infra/estimate/tariffs/{name}.toml, or its charges, are missing")
    return Cloud(tariff=prices, charges=charges)


def break_even(prices: Cloud, profile: Profile, load: Load, other: Profile | None = None) -> float | None:
    """Return the rate, in requests a second, from which on `profile` costs no more than `other`.

    Return 0 if it does at none, and None if it still does at the highest rate. `other` is `eco` by default.
    """
    other = other or Eco()

    def dearer(rate: float) -> bool:
        at = replace(load, rate=rate)
        return prices.monthly(profile, at) > prices.monthly(other, at) * (1 + 1e-12)

    low, high = RATES
    if dearer(high):
        return None
    rate = high
    while not dearer(rate / STEP):
        rate /= STEP
        if rate < low:
            return 0.0
    dear, cheap = rate / STEP, rate
    while cheap - dear > dear * 1e-9:
        middle = (dear + cheap) / 2
        dear, cheap = (middle, cheap) if dearer(middle) else (dear, middle)
    return cheap


def lines(prices: Cloud) -> Iterator[str]:
    """Render one cloud's figures as the lines of a Markdown table."""
    columns = ("`balanced`, idle", "less than `eco`", "`latency`, one copy, idle", "less than `eco`")
    yield f"| memory | a prediction takes | {' | '.join(columns)} |"
    yield "|" + 6 * " --- |"
    for memory_mb in (1024, 2048):
        for seconds in (0.005, 0.05, 0.5):
            load = Load(seconds=seconds, memory_mb=memory_mb)
            cells = [f"{memory_mb:,} MB", f"{seconds * 1000:g} ms"]
            for profile in (Balanced(), Latency()):
                cells.append(f"{prices.monthly(profile, load):.2f} USD")
                cells.append(_rate(break_even(prices, profile, load)))
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
    for name in clouds.names():
        if tariff(name) is not None:
            print(f"{name}\n", *lines(cloud(name)), sep="\n")
