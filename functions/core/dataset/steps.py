"""The steps between the rows of a series, in words: how long the usual one is, and which others there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from models.moment import DAY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.dataset.lags import Order

_CALENDAR: Final[Mapping[str, tuple[int, int]]] = {"month": (28, 31), "quarter": (90, 92), "year": (365, 366)}
"""The fewest and the most days of what has not always as many."""
_UNITS: Final[Mapping[str, float]] = {"week": 7 * DAY, "day": DAY, "hour": 3_600.0, "minute": 60.0}


@dataclass(frozen=True, kw_only=True)
class Steps:
    """How far apart the rows of series are."""

    usual: str
    """The most frequent step in words: day, 15 minutes, month."""
    count: int
    others: int
    """Steps that differ from it."""
    longest: str
    """The longest step in words."""

    @classmethod
    def of(cls, order: Order, *, dated: bool) -> Self | None:
        """Return the steps of rows; None where no series has two."""
        steps = order.steps
        if not len(steps):
            return None
        different, counts = np.unique(steps, return_counts=True)
        usual = float(different[counts.argmax()])
        alike, name = steps == usual, span(usual, dated=dated)
        for unit, (least, most) in _CALENDAR.items() if dated else ():
            if least * DAY <= usual <= most * DAY:
                alike, name = (steps >= least * DAY) & (steps <= most * DAY), unit
        others = int(np.count_nonzero(~alike))
        return cls(usual=name, count=len(steps), others=others, longest=span(float(steps.max()), dated=dated))

    @property
    def said(self) -> str:
        one = self.usual.removeprefix("1 ")
        article = "" if one[:1].isdigit() else "an " if one.startswith("hour") else "a "
        told = f"a row every {one}" if not article else f"a row {article}{one}"
        if not self.others:
            return told
        return f"{told} as a rule; {self.others:,} of {self.count:,} steps differ, the longest of {self.longest}"


def span(length: float, *, dated: bool) -> str:
    """Return a length of time in words: 1 day, 15 minutes; of times that are numbers the number itself."""
    if not dated:
        return f"{length:.12g}"
    for name, seconds in _UNITS.items():
        if length >= seconds and length % seconds == 0:
            count = int(length / seconds)
            return f"{count:,} {name}{'s' * (count > 1)}"
    return f"{length:.12g} seconds"
