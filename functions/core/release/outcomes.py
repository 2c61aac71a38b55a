"""Outcomes: what a challenger's requests have come to over its whole release, each counted once.

They are kept in the live pointer, and each look at the captures adds what was written since the last.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from math import fsum
from statistics import fmean
from typing import TYPE_CHECKING, Any, Self

from functions.core.release.units import is_compared, units_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from functions.core.release.labelled_pairs import LabelledPairs
    from functions.core.release.units import Written
    from models.section import RolloutThresholds


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
    told_until: float = 0.0
    """The truths of requests in objects that were written before are counted, and no others."""
    labelled: int = 0
    """Those compared of which a truth came in time."""
    worse: float = 0.0
    """By how much the challenger was farther from these truths than the champion, where it was; at most 1 each."""
    better: float = 0.0
    """By how much it was nearer, where it was."""
    early: int = 0
    """Truths that came before their requests, and do not count."""
    one_class: str = ""
    """The one class that all of the truths were of; "" where there were several, or none, or numbers."""

    @classmethod
    def of(cls, counted: Mapping[str, Any] | None, begun: float) -> Self:
        """Return what the pointer holds; what has just begun where that is nothing, or damaged."""
        found: dict[str, Any] = counted if isinstance(counted, dict) else {}
        known = {field.name: found[field.name] for field in fields(cls) if field.name in found}
        defaults = {field.name: "" if field.name == "one_class" else 0.0 for field in fields(cls)}
        if not all(isinstance(known[name], str if defaults[name] == "" else int | float) for name in known):
            known = {}
        kept: dict[str, Any] = {"since": begun, "until": begun, **known}
        return cls(**kept)

    def document(self) -> dict[str, Any]:
        return asdict(self)

    def with_these(self, written: Iterable[Written], until: float, thresholds: RolloutThresholds) -> Self:
        """Return them with what was written from the last look until a moment, in seconds since the epoch."""
        if until <= self.until:
            return self
        units = units_of([(at, record) for at, record in written if self.until <= at < until], thresholds)
        pairs = [both for unit in units if (both := [record for record in unit if is_compared(record)])]
        failed = [fmean(bool(record.get("error")) for record in unit) for unit in units]
        return replace(
            self,
            until=until,
            asked=self.asked + len(units),
            errors=self.errors + fsum(failed),
            compared=self.compared + len(pairs),
            disagreed=self.disagreed + fsum(fmean(map(_disagreed, unit)) for unit in pairs),
            slow=self.slow + fsum(fmean(_slow(record, thresholds) for record in unit) for unit in pairs),
        )

    def with_truths(self, pairs: LabelledPairs, until: float) -> Self:
        """Return them with the truths of what was written from the last look on until a moment."""
        same = not self.labelled or not pairs.count or pairs.one_class == self.one_class
        return replace(
            self,
            told_until=until,
            labelled=self.labelled + pairs.count,
            worse=self.worse + pairs.worse,
            better=self.better + pairs.better,
            early=self.early + pairs.early,
            one_class=(pairs.one_class if pairs.count else self.one_class) if same else "",
        )


def _disagreed(record: Mapping[str, Any]) -> float:
    return 1 - record["agreed"] / record["rows"]


def _slow(record: Mapping[str, Any], thresholds: RolloutThresholds) -> float:
    ms, allowed = record["ms"], thresholds.maximum_latency_ratio * record["champion"]["ms"]
    return float(ms > max(allowed, thresholds.latency_floor_ms))
