"""The bill of a graph: what each of its resources uses, and what that costs, takes and emits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from infra.estimate.charges import Charges
from infra.estimate.demand import NO_DEMAND, Demand, embodied, energy
from infra.estimate.grid import Grid, grid
from infra.estimate.interval import Interval
from infra.estimate.situation import Situation, component
from infra.estimate.tariff import Tariff
from infra.estimate.use import Per, Use
from infra.quotas import Declared

Weight = Callable[["Line"], float]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One use of one resource."""

    resource: Declared
    use: Use


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What something costs, takes and emits."""

    usd: float | None
    """None where the region has no price."""
    kwh: Interval
    operational: Interval | None
    """Grams of CO2e; None where nobody has read the region's grid."""
    embodied: Interval
    """Grams of CO2e."""

    @property
    def grams(self) -> Interval | None:
        """All of them."""
        return None if self.operational is None else self.operational + self.embodied


@dataclass(frozen=True)
class Bill:
    """Every figure of one situation, in one cloud's prices."""

    situation: Situation
    charges: Charges
    tariff: Tariff

    @property
    def region(self) -> str:
        """Where the stack is."""
        return self.situation.region

    @property
    def priced(self) -> bool:
        """Whether the region has prices."""
        return self.region in self.tariff.regions

    @property
    def grid(self) -> Grid | None:
        """That of the region, if somebody has read it."""
        return grid(self.tariff.cloud, self.region)

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Every use of every resource, and so every resource that is priced and used."""
        return tuple(
            Line(resource=resource, use=use)
            for resource in self.situation.graph
            if resource.type in self.charges.priced
            for use in self.charges.priced[resource.type](resource, self.situation)
        )

    @cached_property
    def times(self) -> Mapping[Per, float]:
        """How often each unit comes in a month of the traffic."""
        traffic = self.situation.traffic
        trained = traffic.runs_a_month if self.situation.models else 0.0
        return {
            Per.PREDICTION: traffic.predictions_a_month,
            Per.RUN: trained,
            Per.JOB: traffic.jobs_a_month,
            Per.MONTH: 1.0,
        }

    @cached_property
    def quantities(self) -> Mapping[str, float]:
        """By price: what a month of the traffic uses."""
        found: dict[str, float] = {}
        for line in self.lines:
            price, quantity = line.use.price, line.use.quantity
            if price:
                found[price] = found.get(price, 0.0) + quantity * self.times[line.use.per]
        return found

    def unit_usd(self, price: str) -> float:
        """Return what a unit costs in the mean of a month: with much traffic, less than the first units do."""
        quantity, row = self.quantities.get(price, 0.0), self.tariff.prices[price]
        return row.of(quantity, self.region) / quantity if quantity > 0 else row.unit_usd(self.region)

    def usd(self, uses: Iterable[Use]) -> float:
        """Return what some uses cost together."""
        return sum(use.quantity * self.unit_usd(use.price) for use in uses if use.price)

    def figure(self, uses: Iterable[Use]) -> Figure:
        """Return everything about some uses together."""
        taken = tuple(uses)
        demand = sum((use.demand for use in taken), NO_DEMAND)
        return self.of(demand, self.usd(taken) if self.priced else None)

    def of(self, demand: Demand, usd: float | None) -> Figure:
        """Return everything about a demand for hardware."""
        kwh, place = energy(demand, self.tariff.cloud, self.region), self.grid
        operational = kwh * place.grams_per_kwh if place else None
        return Figure(usd=usd, kwh=kwh, operational=operational, embodied=embodied(demand))

    def per(self, per: Per, number: float = 1, weight: Weight = lambda _: 1.0) -> Figure:
        """Return the figures of so many predictions, runs, jobs or idle months."""
        return self.figure(scaled(line.use, number * weight(line)) for line in self.lines if line.use.per is per)

    def month(self, lines: Iterable[Line] | None = None) -> Figure:
        """Return the figures of a month of the traffic, of all lines or some."""
        taken = self.lines if lines is None else lines
        return self.figure(scaled(line.use, self.times[line.use.per]) for line in taken)

    def of_model(self, model: str) -> tuple[Figure, Figure]:
        """Return the figures of a thousand predictions of one model, and of a training run."""
        predicting = self.situation.predicting
        total = len(self.situation.models)

        def weight(line: Line) -> float:
            models = predicting.get(component(line.resource))
            if models is None:
                return 1.0
            return total / len(models) if model in models else 0.0

        own = Bill(replace(self.situation, model=model), self.charges, self.tariff)
        return self.per(Per.PREDICTION, 1000, weight), own.per(Per.RUN)


def scaled(use: Use, number: float) -> Use:
    """Return so many of a use."""
    return replace(use, quantity=use.quantity * number, demand=use.demand * number)
