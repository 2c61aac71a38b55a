"""What hardware something reserves, and what that takes and emits: hardware.toml."""

from __future__ import annotations

from dataclasses import dataclass

from infra.estimate import sci
from infra.estimate.interval import NOTHING, Interval
from infra.estimate.tables import table

HOUR = 3600.0
MONTH = 30 * 24 * HOUR
"""Seconds."""


@dataclass(frozen=True, kw_only=True)
class Demand:
    """Hardware that is reserved for something, used or not."""

    reserved: float = 0.0
    """vCPU-seconds that nobody else can have; they take at least what an idle processor takes."""
    working: float = 0.0
    """Those of them in which something computes, or could."""
    memory: float = 0.0
    """GB-seconds."""
    stored: float = 0.0
    """GB-months of a store that keeps several copies."""
    sent: float = 0.0
    """GB that leave the region."""

    def __add__(self, other: Demand) -> Demand:
        return Demand(
            reserved=self.reserved + other.reserved,
            working=self.working + other.working,
            memory=self.memory + other.memory,
            stored=self.stored + other.stored,
            sent=self.sent + other.sent,
        )

    def __mul__(self, by: float) -> Demand:
        return Demand(
            reserved=self.reserved * by,
            working=self.working * by,
            memory=self.memory * by,
            stored=self.stored * by,
            sent=self.sent * by,
        )


NO_DEMAND = Demand()


def pue(cloud: str, region: str) -> Interval:
    """Return a data centre's energy over that of its computers: the region's figure, bounded by the fleet's."""
    stated = table("hardware")["pue"][cloud]
    fleet = stated["fleet"]
    central = stated["regions"].get(region, fleet)
    return Interval(min(central, fleet), central, max(central, fleet))


def energy(demand: Demand, cloud: str, region: str) -> Interval:
    """Return E in kWh, with the data centre's overhead."""
    stated = table("hardware")
    processor = stated["processor"][cloud]
    idle, full = Interval.read(processor["idle"]), Interval.read(processor["full"])
    at_work = sci.watts_at(idle, full, Interval.read(stated["utilization"]["at_work"]))
    more = Interval(at_work.low - idle.low, at_work.central - idle.central, at_work.high - idle.high)
    disks = stated["storage"]
    tb_hours = demand.stored / 1000 * MONTH / HOUR
    inside = (
        sci.processor_kwh(idle, demand.reserved / HOUR)
        + sci.processor_kwh(more, demand.working / HOUR)
        + sci.memory_kwh(Interval.read(stated["memory"]["kwh_per_gb_hour"]), demand.memory / HOUR)
        + sci.storage_kwh(Interval.read(disks["wh_per_tb_hour"]), Interval.read(disks["copies"]), tb_hours)
    )
    outside = Interval.read(stated["network"]["kwh_per_gb"]) * demand.sent
    return sci.in_the_data_centre(inside, pue(cloud, region)) + outside


def embodied(demand: Demand) -> Interval:
    """Return M in grams: the share of a server's making that its reserved vCPUs bear."""
    if not demand.reserved:
        return NOTHING
    stated = table("hardware")["embodied"]
    kilograms, life = Interval.read(stated["kilograms"]), Interval.read(stated["hours"])
    return sci.embodied_grams(kilograms, life, demand.reserved / HOUR, 1 / stated["vcpus"])
