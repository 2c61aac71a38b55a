"""The policy of retraining: what has a model trained again, and how often at most.

The settings validate it once; it travels to the function that watches as JSON, and is the same type there.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True, kw_only=True)
class RetrainingPolicy:
    """What has a model trained again on its dataset and the rows that were labelled since."""

    drift: bool = True
    """Whether drift does that two windows in a row have."""
    quality: bool = True
    """Whether a quality below its floor does."""
    rows: int | None = None
    """So many rows that were labelled since do. None: no number does."""
    days: int | None = None
    """So many days since the last training was asked for do. None: no time does."""
    minimum_rows: int = 200
    """Without so many rows that were labelled since there is nothing to learn from, whatever the cause."""
    cool_down_hours: float = 24
    """After a training that was asked for; twice as long after each that came to nothing, a week at most."""
    runs_a_month: int = 4
    """The most that are asked for in 30 days."""

    def to_json(self) -> str:
        """Return the policy as `from_json` reads it; equal policies give equal text."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote. Raise `TypeError` for other members."""
        return cls(**json.loads(text))
