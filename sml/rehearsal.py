"""A rehearsal: what a version answered to what callers asked others, and what the judge of releases says of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from functions.core.release.judge import judge
from functions.core.release.outcomes import Outcomes
from functions.core.release.rollout_metrics import among
from functions.core.release.weighing import weigh
from models.catalogue import load
from models.section import ContractError
from sml.mistake import Mistake

if TYPE_CHECKING:
    from functions.core.release.judge import Verdict
    from functions.core.release.rollout_metrics import RolloutMetrics
    from functions.core.release.weighing import Weighing
    from models.section import RolloutThresholds


@dataclass(kw_only=True)
class Rehearsal:
    """What a version answered to what others were asked."""

    model: str
    version: str
    first: str
    last: str
    answered_then: Counter[str] = field(default_factory=Counter)
    """Requests by the version that answered them then."""
    rows: int = 0
    moved: int = 0
    """Requests that this version of then answers otherwise on this machine."""
    passed_over: Counter[str] = field(default_factory=Counter)
    """Requests that were not asked, by why."""
    records: list[dict[str, Any]] = field(default_factory=list)
    """As a canary captures them."""
    differing: list[dict[str, Any]] = field(default_factory=list)
    """Rows that were answered otherwise, or not at all, with both answers."""

    def judged(self, rules: RolloutThresholds) -> tuple[RolloutMetrics, Weighing, Verdict]:
        """Return what the judge of releases says, as at the end of a release whose patience is over."""
        nobody_knows_when = 0.0
        written = [(int(one["time"]), one) for one in self.records]
        until = max((at for at, _ in written), default=0) + 60
        outcomes = Outcomes(since=nobody_knows_when, until=nobody_knows_when).with_these(written, until, rules)
        metrics, weighing = among(self.records, self.version, nobody_knows_when, 1.0), weigh(outcomes, rules)
        return metrics, weighing, judge(metrics, weighing, rules, patience_left=False, is_last=True)


def rules_of(model: str) -> RolloutThresholds:
    """Return by what a model's releases are judged, from its contract here. Raise `Mistake`."""
    try:
        return load(model).rollout
    except ContractError as problem:
        raise Mistake(f"the contract says what is judged: {problem}") from None
