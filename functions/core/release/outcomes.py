"""Outcomes: what a challenger's requests have come to over its whole release, each counted once.

They are kept in the live pointer, and each look at the captures adds what was written since the last.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, fields
from math import fsum
from statistics import fmean
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from models.section import RolloutThresholds

Written = tuple[int, dict[str, Any]]
"""A captured record, and when its object was written: seconds since the epoch."""
_UNIT_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """Sums of outcomes from 0, good, to 1, bad; and how many there were. Totals of whole requests are whole."""

    since: float
    """When the release began: seconds since the epoch."""
    until: float
    """Objects that were written before are counted, and no others."""
    asked: int = 0
    """Requests that the challenger was asked about, or minutes of callers: the contract's `risk.unit`."""
    errors: float = 0.0
    compared: int = 0
    """Those that the challenger and the champion both answered."""
    disagreed: float = 0.0
    """Each by the share of its rows that were answered otherwise."""
    slow: float = 0.0
    """Of those compared, how many took longer than the contract allows."""

    @classmethod
    def of(cls, counted: Mapping[str, Any] | None, begun: float) -> Self:
        """Return what the pointer holds; what has just begun where that is nothing, or damaged."""
        found: dict[str, Any] = counted if isinstance(counted, dict) else {}
        known = {field.name: found[field.name] for field in fields(cls) if field.name in found}
        if not all(isinstance(number, int | float) for number in known.values()):
            known = {}
        kept: dict[str, Any] = {"since": begun, "until": begun, **known}
        return cls(**kept)

    def document(self) -> dict[str, Any]:
        return asdict(self)

    def with_these(self, written: Iterable[Written], until: float, thresholds: RolloutThresholds) -> Self:
        """Return them with what was written from the last look until a moment, in seconds since the epoch."""
        if until <= self.until:
            return self
        units = _units([(at, record) for at, record in written if self.until <= at < until], thresholds)
        pairs = [both for unit in units if (both := [record for record in unit if _is_compared(record)])]
        failed = [fmean(bool(record.get("error")) for record in unit) for unit in units]
        return type(self)(
            since=self.since,
            until=until,
            asked=self.asked + len(units),
            errors=self.errors + fsum(failed),
            compared=self.compared + len(pairs),
            disagreed=self.disagreed + fsum(fmean(map(_disagreed, unit)) for unit in pairs),
            slow=self.slow + fsum(fmean(_slow(record, thresholds) for record in unit) for unit in pairs),
        )


def settled(now: float, thresholds: RolloutThresholds) -> float:
    """Return until when objects are counted by a look at `now`: what is being written is left to the next look.

    Where a caller's minute is one outcome, minutes are counted when they are over.
    """
    whole = _UNIT_SECONDS if thresholds.risk.unit == "caller_minute" else 1
    return now - now % whole


def _units(written: Sequence[Written], thresholds: RolloutThresholds) -> list[list[dict[str, Any]]]:
    """Return the records that make one outcome each: one, or those of a caller's minute."""
    if thresholds.risk.unit == "request":
        return [[record] for _, record in written]
    units: dict[tuple[int, str], list[dict[str, Any]]] = defaultdict(list)
    for at, record in written:
        units[at // _UNIT_SECONDS, str(record.get("caller"))].append(record)
    return list(units.values())


def _is_compared(record: Mapping[str, Any]) -> bool:
    return not record.get("error") and bool(record.get("champion"))


def _disagreed(record: Mapping[str, Any]) -> float:
    return 1 - record["agreed"] / record["rows"]


def _slow(record: Mapping[str, Any], thresholds: RolloutThresholds) -> float:
    ms, allowed = record["ms"], thresholds.maximum_latency_ratio * record["champion"]["ms"]
    return float(ms > max(allowed, thresholds.latency_floor_ms))
