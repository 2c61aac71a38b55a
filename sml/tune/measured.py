"""What was measured of one size, and what follows from it: percentiles, USD and grams."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interface.meter import Meter
    from sml.tune.trial import Call

FULL = 0.9
"""The share of the memory beyond which a size is not recommended: the next version may be larger."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """A size of memory, and what it brings and costs."""

    memory_mb: int
    processors: float
    meter: Meter | None
    """None where the region has no price."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One size with its calls."""

    size: Size
    cold: Sequence[Call] = ()
    warm: Sequence[Call] = ()
    batch: Sequence[Call] = ()
    batch_rows: int = 0
    problem: str = ""
    """Why there are no figures."""
    batch_problem: str = ""
    """Why there are none of a batch."""
    deployed: bool = False
    """Whether the function has this size."""
    latencies: Sequence[float] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "latencies", sorted(call.ms for call in self.warm))

    @property
    def p50(self) -> float:
        """Milliseconds in which half of the warm calls are answered, as the next three."""
        return percentile(self.latencies, 50)

    @property
    def p95(self) -> float:
        return percentile(self.latencies, 95)

    @property
    def cold_ms(self) -> float | None:
        return median(call.ms for call in self.cold) if self.cold else None

    @property
    def batch_ms(self) -> float | None:
        return median(call.ms for call in self.batch) if self.batch else None

    @property
    def memory_mb(self) -> float | None:
        """The most memory that a copy has had; None where the cloud does not say."""
        found = [call.memory_mb for call in (*self.cold, *self.warm, *self.batch) if call.memory_mb]
        return max(found) if found else None

    @property
    def tight(self) -> bool:
        """Whether it has hardly any memory left."""
        return self.memory_mb is not None and self.memory_mb > FULL * self.size.memory_mb

    @property
    def seconds(self) -> float:
        """Billed seconds of a warm call, on average."""
        return sum(self._billed(call) for call in self.warm) / len(self.warm)

    @property
    def usd(self) -> float | None:
        """USD for 1,000 warm requests of one row: function and calls, without API, stores and free tiers."""
        meter = self.size.meter
        return None if meter is None else 1000 * (self.seconds * meter.usd + meter.usd_per_call)

    @property
    def grams(self) -> float | None:
        """Grams of CO2e for 1,000 warm requests of one row: energy and the making of the hardware."""
        meter = self.size.meter
        return None if meter is None else 1000 * self.seconds * (meter.grams_operational + meter.grams_embodied)

    def _billed(self, call: Call) -> float:
        if call.billed_ms is not None:
            return call.billed_ms / 1000
        # However short a call, a step of the bill has begun.
        return call.ms / 1000 if self.size.meter is None else self.size.meter.billed_seconds(max(call.ms, 0.001))


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value that so many per cent of the others do not exceed: the nearest rank, no value in between.

    Raise `ValueError` where there are none.
    """
    if not ordered:
        raise ValueError("there is nothing to rank")
    return ordered[max(math.ceil(share / 100 * len(ordered)), 1) - 1]
