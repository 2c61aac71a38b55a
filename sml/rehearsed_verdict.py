"""What the judge of releases says of a rehearsal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from functions.core.release.judge import judge
from functions.core.release.outcomes import Outcomes
from functions.core.release.rollout_metrics import among
from functions.core.release.weighing import weigh
from sml.rehearsal import NOBODY_KNOWS_WHEN

if TYPE_CHECKING:
    from functions.core.release.judge import Verdict
    from functions.core.release.rollout_metrics import RolloutMetrics
    from functions.core.release.weighing import Weighing
    from models.section import RolloutThresholds
    from sml.rehearsal import Rehearsal
    from sml.rehearsed_truths import RehearsedTruths


def judged(
    rehearsal: Rehearsal, rules: RolloutThresholds, truths: RehearsedTruths | None = None
) -> tuple[RolloutMetrics, Weighing, Verdict]:
    """Return what the judge of releases says, as at the end of a release whose patience is over.

    How long a job takes says nothing of how long a request does: then latency is not asked.
    """
    written = rehearsal.written
    until = max((at for at, _ in written), default=0) + 60
    outcomes = Outcomes(since=NOBODY_KNOWS_WHEN, until=NOBODY_KNOWS_WHEN).with_these(written, until, rules)
    metrics = among(rehearsal.records, rehearsal.version, NOBODY_KNOWS_WHEN, 1.0)
    labels = None
    if truths is not None:
        outcomes, labels = truths.counted(outcomes), truths.labels
    weighing = weigh(outcomes, rules, labels)
    if rehearsal.job:
        weighing = replace(weighing, questions=tuple(one for one in weighing.questions if one.about != "latency"))
        metrics = replace(metrics, challenger_ms=None, champion_ms=None)
    return metrics, weighing, judge(metrics, weighing, rules, patience_left=False, is_last=True)
