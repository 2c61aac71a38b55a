"""What a kWh of a region's grid emits: grid.toml."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from infra.estimate.interval import Interval
from infra.estimate.tables import table


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One publication's figure."""

    source: str
    grams: float
    year: int


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The grid of one region: grams of CO2e for a kWh, by two publications or more."""

    region: str
    readings: Sequence[Reading]
    """The central one first."""

    @property
    def grams_per_kwh(self) -> Interval:
        """The first reading, between the lowest and the highest."""
        grams = [reading.grams for reading in self.readings]
        return Interval(min(grams), grams[0], max(grams))

    @property
    def said(self) -> str:
        """Which publication of which year, and how many there are."""
        first = self.readings[0]
        name = table("grid")["source"][first.source]["name"]
        return f"{name}, {first.year}; {len(self.readings)} publications"


@cache
def grid(cloud: str, region: str) -> Grid | None:
    """Return the grid of a cloud's region; None where nobody has read one."""
    rows = table("grid").get(cloud, {}).get(region)
    if rows is None:
        return None
    readings = tuple(Reading(source=source, grams=grams, year=year) for source, grams, year in rows)
    return Grid(region=region, readings=readings)
