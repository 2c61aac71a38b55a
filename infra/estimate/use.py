"""What a resource uses of what a cloud bills, and of hardware: for one prediction, run or job, or an idle month."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from infra.estimate.demand import NO_DEMAND, Demand


class Per(StrEnum):
    """What a use is counted for: the functional units of the estimate."""

    PREDICTION = "prediction"
    RUN = "run"
    JOB = "job"
    MONTH = "month"
    """A month in which nobody asks for anything."""


@dataclass(frozen=True, kw_only=True)
class Use:
    """So much of one price, and of hardware."""

    per: Per
    price: str = ""
    """Its name in the tariff; empty for hardware that another price pays for."""
    quantity: float = 0.0
    """In the price's unit."""
    demand: Demand = NO_DEMAND
