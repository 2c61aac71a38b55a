"""The truths of the requests of a release, each counted once: when its time is over, and as it was known then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from functions.core.registry.truths import EARLY_SECONDS, Truths
from functions.core.release.labelled_pairs import Pairs
from functions.core.release.rollout_metrics import written_between
from functions.core.release.units import settled
from models.moment import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.registry.versions import Registry
    from functions.core.release.outcomes import Outcomes
    from functions.core.storage.objects import Objects
    from models.labels import Labels
    from models.section import RolloutThresholds

MOST_BATCHES = 5_000
"""The most batches of truths that one look reads; of more, an even share."""


@dataclass(frozen=True)
class ReleaseTruths:
    """The truths of one model's releases, by what its contract says of truths."""

    captures: Objects
    registry: Registry
    model: str
    labels: Labels

    def counted(self, version: str, now: float, counted: Outcomes, rules: RolloutThresholds) -> Outcomes:
        """Return the outcomes of a challenger's release with the truths that are due at a look `now`.

        A request counts when its time is over, by the last truth that came within it, whenever one looks: neither how
        soon a truth comes nor what it says decides whether it is among the evidence.
        """
        until = self.labels.due_before(settled(now, rules))
        begin = max(counted.told_until, counted.since)
        if until <= begin:
            return counted
        span = (begin, counted.since, now)
        written, _ = written_between(self.captures, self.model, version, span, until)
        pairs = Pairs(written, self.labels.due_at)
        if pairs:
            days = _days(begin - EARLY_SECONDS - DAY, now)
            pairs.read(Truths(self.captures, self.model).of(days, MOST_BATCHES))
        return counted.with_truths(pairs.labelled(rules, lru_cache(maxsize=None)(self._usual_error)), until)

    def _usual_error(self, version: str) -> float:
        return usual_error(self.registry.card(version))


def usual_error(card: dict | None) -> float:
    """Return how far a version's numbers usually are from the truth, by its card; 0 where it does not say."""
    return float(((card or {}).get("metrics") or {}).get("holdout", {}).get("mae") or 0.0)


def _days(since: float, now: float) -> Iterator[str]:
    """Yield the days from a moment to another."""
    for day in range(int(since // DAY), int(now // DAY) + 1):
        yield f"{datetime.fromtimestamp(day * DAY, UTC):%Y-%m-%d}"
