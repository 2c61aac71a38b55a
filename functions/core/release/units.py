"""Units: the captured requests of a challenger that make one outcome each."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from models.section import RolloutThresholds

Written = tuple[int, dict[str, Any]]
"""A captured record, and when its object was written: seconds since the epoch."""
_UNIT_SECONDS = 60


def settled(now: float, thresholds: RolloutThresholds) -> float:
    """Return until when objects are counted by a look at `now`: what is being written is left to the next look.

    Where a caller's minute is one outcome, minutes are counted when they are over.
    """
    whole = _UNIT_SECONDS if thresholds.risk.unit == "caller_minute" else 1
    return now - now % whole


def units_of(written: Sequence[Written], thresholds: RolloutThresholds) -> list[list[dict[str, Any]]]:
    """Return the records that make one outcome each: one, or those of a caller's minute."""
    if thresholds.risk.unit == "request":
        return [[record] for _, record in written]
    units: dict[tuple[int, str], list[dict[str, Any]]] = defaultdict(list)
    for at, record in written:
        units[at // _UNIT_SECONDS, str(record.get("caller"))].append(record)
    return list(units.values())


def is_compared(record: Mapping[str, Any]) -> bool:
    """Return whether both versions answered a request."""
    return not record.get("error") and bool(record.get("champion"))
