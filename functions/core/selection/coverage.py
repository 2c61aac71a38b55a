"""Whether the intervals of a model hold as many truths as they are to, in words where they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.selection import shares
from models.readable import readable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.interval import Interval


def uncovered(interval: Interval, rows: float, measured: Mapping[str, float]) -> list[str]:
    """Return a sentence where the coverage, by the metrics of so many rows, is off by more than chance allows.

    Of rows that weigh, `rows` is the number that they count as.
    """
    found = measured.get("coverage")
    if found is None:
        return []
    lower, upper = shares.interval(found * rows, rows)
    if lower <= interval.coverage <= upper:
        return []
    much, way = ("few", "narrow") if found < interval.coverage else ("many", "wide")
    return [
        f"coverage: {found:.1%} of the truths lie between low and high, by {readable(rows)} rows {lower:.1%} to"
        f" {upper:.1%}: too {much} for an interval that is to hold {interval.coverage:g}; it is too {way}"
    ]
