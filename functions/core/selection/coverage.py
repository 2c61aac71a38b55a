"""Whether the intervals of a model hold as many truths as they are to, in words where they do not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.interval import Interval

_OUTSIDE = 0.025
"""The probability of fewer than the least, and of more than the most."""
_MANY = 100.0
"""A variance from which on the binomial distribution is as good as a normal one."""
_NORMAL = 1.959964


def uncovered(interval: Interval, rows: int, measured: Mapping[str, float]) -> list[str]:
    """Return a sentence where the coverage of so many rows, by their metrics, is off by more than chance allows."""
    found = measured.get("coverage")
    if found is None:
        return []
    least, most = between(rows, interval.coverage)
    count = round(found * rows)
    if least <= count <= most:
        return []
    much, way = ("few", "narrow") if count < least else ("many", "wide")
    return [
        f"coverage: {count} of {rows} truths lie between low and high, {found:.3g} of them: too {much} for an interval"
        f" that is to hold {interval.coverage:g}, of which chance makes {least} to {most}; it is too {way}"
    ]


def between(rows: int, probability: float) -> tuple[int, int]:
    """Return the least and the greatest number of rows that are of a kind by chance, in 95 of 100 draws or more.

    Each row is of the kind with the `probability`.
    """
    mean, variance = rows * probability, rows * probability * (1 - probability)
    if variance > _MANY:
        far = _NORMAL * math.sqrt(variance) + 0.5
        return max(0, math.floor(mean - far)), min(rows, math.ceil(mean + far))
    chances = [_chance(count, rows, probability) for count in range(rows + 1)]
    return _beyond(chances), rows - _beyond(chances[::-1])


def _chance(count: int, rows: int, probability: float) -> float:
    ways = math.lgamma(rows + 1) - math.lgamma(count + 1) - math.lgamma(rows - count + 1)
    return math.exp(ways + count * math.log(probability) + (rows - count) * math.log1p(-probability))


def _beyond(chances: list[float]) -> int:
    """Return how many of the first counts together are so rare that none of them is chance."""
    total = 0.0
    for count, chance in enumerate(chances):
        total += chance
        if total > _OUTSIDE:
            return count
    return len(chances) - 1
