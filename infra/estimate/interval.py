"""A figure with what bounds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Interval:
    """A figure that is not negative: its central value, and the least and the greatest that the sources allow.

    A product takes the lows together and the highs together: the bounds are those of the worst case, and no spread.
    """

    low: float
    central: float
    high: float

    @classmethod
    def exact(cls, value: float) -> Self:
        """Return a figure that is known."""
        return cls(value, value, value)

    @classmethod
    def read(cls, bounds: Mapping[str, float]) -> Self:
        """Return the figure of a table's `{low, central, high}`."""
        return cls(bounds["low"], bounds["central"], bounds["high"])

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.central + other.central, self.high + other.high)

    def __mul__(self, other: Interval | float) -> Interval:
        by = other if isinstance(other, Interval) else Interval.exact(other)
        return Interval(self.low * by.low, self.central * by.central, self.high * by.high)

    def above(self, other: Interval) -> bool:
        """Return whether every value of this one is greater than every value of the other."""
        return self.low > other.high


NOTHING = Interval(0.0, 0.0, 0.0)
