"""What all experiments of a run may use together."""

from __future__ import annotations

import math
from typing import Self

from pydantic import Field, model_validator

from models.complaint import mistake
from models.section import Section


class Budget(Section):
    """Caps on a run: an experiment that would begin beyond one of them is skipped."""

    maximum_seconds: float | None = Field(default=None, gt=0)
    """Of the function's time that experiments are billed for, added up: those that run beside each other count each."""
    maximum_usd: float | None = Field(default=None, gt=0)
    """What that time costs by the function's own meter: `interface/meter.py`."""

    @model_validator(mode="after")
    def _caps_something(self) -> Self:
        if self.maximum_seconds is None and self.maximum_usd is None:
            raise mistake("is empty; accepted: maximum_seconds, maximum_usd, or both")
        return self

    @property
    def words(self) -> str:
        """The caps in words: `0.50 USD and 3,600 seconds`."""
        usd = [] if self.maximum_usd is None else [usd_of(self.maximum_usd)]
        seconds = [] if self.maximum_seconds is None else [f"{self.maximum_seconds:,.10g} seconds"]
        return " and ".join([*usd, *seconds])


def usd_of(amount: float) -> str:
    """Return an amount in words, with two digits at least, and as many as tell it from nothing."""
    digits = 2 if amount >= 0.1 or amount <= 0 else 2 - math.floor(math.log10(amount))
    told = f"{amount:,.{digits}f}"
    return f"{told if digits == 2 else told.rstrip('0')} USD"
