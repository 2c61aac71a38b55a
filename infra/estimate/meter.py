"""What one second of one function costs and emits, for the function itself, which says so with each call."""

from __future__ import annotations

from infra.clouds import find
from infra.estimate.demand import NO_DEMAND, embodied, energy
from infra.estimate.grid import grid
from infra.estimate.served import Served
from infra.estimate.tariff import tariff
from infra.scaling import Eco, Profile
from interface.meter import Meter


def meter(cloud: str, region: str, architecture: str, memory_mb: int, profile: Profile | None = None) -> Meter | None:
    """Return the central figures of a billed second; None where the cloud has no tariff, or the region no price.

    A region whose grid nobody has read has energy and no operational grams. A function that is kept ready is
    metered at what its work adds in USD, and at all that it reserves in kWh.
    """
    prices, charges = tariff(cloud), find(cloud).charges
    if prices is None or charges is None or region not in prices.regions:
        return None
    function = Served(memory_mb=memory_mb, architecture=architecture, profile=profile or Eco())
    second = charges.second(function)
    demand = sum((use.demand for use in second.uses), NO_DEMAND)
    kwh, place = energy(demand, cloud, region).central, grid(cloud, region)
    return Meter(
        usd=sum(use.quantity * prices.prices[use.price].unit_usd(region) for use in second.uses),
        usd_per_call=prices.prices[second.call].unit_usd(region),
        gb=memory_mb / 1024,
        kwh=kwh,
        grams_operational=kwh * place.grams_per_kwh.central if place else 0.0,
        grams_embodied=embodied(demand).central,
        billed_ms=second.billed_ms,
        region=region,
        tariff=prices.read_on,
    )
