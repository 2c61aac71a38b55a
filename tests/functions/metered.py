"""A meter whose figures are round, and a clock that only tests advance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.runtime.usage import Metering
from interface.meter import Meter

if TYPE_CHECKING:
    from functions.core.runtime.usage import Metrics

METER = Meter(
    usd=0.01,
    usd_per_call=0.001,
    gb=2.0,
    kwh=0.1,
    grams_operational=3.0,
    grams_embodied=1.0,
    billed_ms=1,
    region="eu-central-1",
    tariff="2026-11-24",
)
TENTHS = METER._replace(billed_ms=100)


class Stopwatch:
    """Seconds since its making, which pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def forward(self, ms: float) -> None:
        self.now += ms / 1000


def metering(meter: Meter = METER, metrics: Metrics | None = None) -> tuple[Metering, Stopwatch]:
    clock = Stopwatch()
    return Metering(meter, metrics=metrics, clock=clock), clock
