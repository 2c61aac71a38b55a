"""The list prices of one cloud, by region: `tariffs/<cloud>.toml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from infra.estimate.tables import exists, table

OLD = timedelta(days=180)
"""Prices that were read longer ago are said to be old."""


@dataclass(frozen=True, kw_only=True)
class Price:
    """What one unit of something costs."""

    name: str
    service: str
    """As the cloud's bill calls it."""
    unit: str
    usd: float
    """USD for a unit in the base region, up to the first tier."""
    tiers: Sequence[tuple[float, float]] = ()
    """From which quantity a month a unit costs less, and how much then, in the base region."""
    regions: Mapping[str, float]
    """The regions where a unit costs another price."""
    everywhere: bool
    """Whether the other regions are known to cost what the base does."""
    source: str
    read_on: str
    unverified: bool

    def unit_usd(self, region: str) -> float:
        """Return what the first units cost in a region; where nobody has read it, what they cost in the base."""
        return self.regions.get(region, self.usd)

    def parts(self, quantity: float, region: str) -> list[tuple[float, float]]:
        """Return how much of a month's quantity falls into each tier, and what a unit costs there, in USD."""
        factor = self.unit_usd(region) / self.usd
        bounds = [(0.0, self.usd), *self.tiers]
        ends = [*(start for start, _ in self.tiers), float("inf")]
        return [
            (min(quantity, end) - start, usd * factor)
            for (start, usd), end in zip(bounds, ends, strict=True)
            if quantity > start
        ]

    def of(self, quantity: float, region: str) -> float:
        """Return what a month's quantity costs, in USD."""
        return sum(part * usd for part, usd in self.parts(quantity, region))

    def stands_in(self, region: str, base: str) -> bool:
        """Return whether the base's price is taken for want of the region's own."""
        return region != base and not self.everywhere and region not in self.regions


@dataclass(frozen=True, kw_only=True)
class FreeTier:
    """What an account has each month without paying for it, all its stacks together."""

    name: str
    prices: Sequence[str]
    quantity: float
    source: str
    unverified: bool


@dataclass(frozen=True, kw_only=True)
class Tariff:
    """One cloud's prices."""

    cloud: str
    base: str
    regions: Sequence[str]
    """Those with prices."""
    prices: Mapping[str, Price]
    free: Sequence[FreeTier]

    @property
    def read_on(self) -> str:
        """The day on which the oldest of the prices was read."""
        return min(price.read_on for price in self.prices.values())

    def old(self, today: date) -> list[str]:
        """Return the names of the prices that were read more than `OLD` ago."""
        return [name for name, price in self.prices.items() if today - date.fromisoformat(price.read_on) > OLD]

    def standing_in(self, names: Iterable[str], region: str) -> list[str]:
        """Return which of some prices are the base region's, for want of the region's own."""
        return sorted({name for name in names if self.prices[name].stands_in(region, self.base)})


@cache
def tariff(cloud: str) -> Tariff | None:
    """Return the prices of a cloud; None for a cloud without."""
    if not exists(f"tariffs/{cloud}"):
        return None
    stated = table(f"tariffs/{cloud}")
    groups = stated.get("tier", {})
    rows = stated["price"]

    def regions(name: str) -> dict[str, float]:
        row = rows[name]
        by_group = {region: row[group] for group, of in groups.items() if group in row for region in of["regions"]}
        own = by_group | row.get("regions", {})
        if own or "like" not in row:
            return own
        like = rows[row["like"]]
        return {region: usd / like["usd"] * row["usd"] for region, usd in regions(row["like"]).items()}

    prices = {
        name: Price(
            name=name,
            service=row["service"],
            unit=row["unit"],
            usd=row["usd"],
            tiers=tuple((start, usd) for start, usd in row.get("tiers", ())),
            regions=regions(name),
            everywhere=row.get("everywhere", False),
            source=row["source"],
            read_on=row["read_on"],
            unverified=row.get("unverified", False),
        )
        for name, row in rows.items()
    }
    free = tuple(
        FreeTier(
            name=name,
            prices=tuple(row["prices"]),
            quantity=row["quantity"],
            source=row["source"],
            unverified=row.get("unverified", False),
        )
        for name, row in stated["free"].items()
    )
    return Tariff(cloud=cloud, base=stated["base"], regions=tuple(stated["regions"]), prices=prices, free=free)
