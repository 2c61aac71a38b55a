"""A meter: what a second of a function's work costs and emits, so that the running function can say what it used.

The prices are looked up when a stack is deployed, and travel to the function as JSON in the variable `METER`.
"""

from __future__ import annotations

import json
import math
from typing import NamedTuple, Self

ROUNDING = 5e-7
"""The part of a step that is no time: durations are differences of clocks, and 300 ms may be a little more."""


class Meter(NamedTuple):
    """The central figures of one function of one size in one region; each is per billed second unless it says not.

    Not a dataclass, which takes longer to make: every cold start of predict imports it.
    """

    usd: float
    """Memory and processor, without the requests themselves, free tiers, discounts and taxes."""
    usd_per_call: float
    """USD for an invocation, however long it takes."""
    gb: float
    """Memory in GB, as the cloud bills it: 1024 MB are one. GB-seconds are this times the billed seconds."""
    kwh: float
    """Energy of what is reserved for the function, its share of the data centre's overhead included."""
    grams_operational: float
    """Grams of CO2e of that energy, by the average of the region's grid."""
    grams_embodied: float
    """Grams of CO2e of making the hardware, by the share of its life that is reserved."""
    billed_ms: int
    """The step to which a cloud rounds a duration up, in milliseconds: 1 on Lambda, 100 on Cloud Run."""
    region: str
    tariff: str
    """The date on which the prices were read, as 2026-11-24."""

    def billed_seconds(self, ms: float) -> float:
        """Return how many seconds are billed for a duration in milliseconds."""
        step = self.billed_ms
        return math.ceil(ms / step - ROUNDING) * step / 1000

    def to_json(self) -> str:
        """Return the meter as `from_json` reads it; equal meters give equal text."""
        return json.dumps(self._asdict(), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote. Raise `TypeError` for other members, `ValueError` for what is not JSON."""
        return cls(**json.loads(text))
