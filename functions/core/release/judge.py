"""The verdict on a challenger: what its outcomes show against the contract's risks, and the reason in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from functions.core.release import reasons

if TYPE_CHECKING:
    from functions.core.release.rollout_metrics import RolloutMetrics
    from functions.core.release.weighing import Weighing
    from models.section import RolloutThresholds

Decision = Literal["pass", "wait", "fail"]
UNJUDGED = "nobody judged it any more: its execution was stopped, took too long, or lost its last step"
"""Why a challenger is withdrawn whose execution has ended without a word."""
FAILED = "the workflow failed"
"""How the reason begins for which a challenger is withdrawn whose execution has failed."""
_BY_CONTRACT: dict[str, Decision] = {"promote": "pass", "roll_back": "fail"}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    decision: Decision
    reason: str


def judge(
    metrics: RolloutMetrics,
    weighing: Weighing,
    thresholds: RolloutThresholds,
    *,
    patience_left: bool,
    is_last: bool,
) -> Verdict:
    """Decide whether the challenger passes its step, is watched for longer, or fails.

    `metrics` are of the step, `weighing` is of the whole release. Evidence against it ends a release at
    once; where truths are expected, disagreement alone does so once patience is over. A step is over when
    it has seen enough requests, or when patience is over; the `is_last` one when the challenger is shown to
    be good, too. What is not shown then is as the contract's `without_traffic` and `without_evidence` say.
    """
    if weighing.is_bad:
        return _accuse(metrics, weighing, thresholds, patience_left=patience_left)
    enough = metrics.requests >= thresholds.minimum_requests
    few = f"{metrics.requests} of at least {thresholds.minimum_requests} requests"
    if not enough and patience_left:
        return Verdict(decision="wait", reason=f"{few} so far; {reasons.against(weighing)}")
    traffic = f"without traffic: {thresholds.without_traffic}"
    if metrics.requests == 0:
        said = f"no request came; {traffic}"
        if thresholds.without_traffic == "roll_back" or not (is_last and weighing.has_outcomes):
            return Verdict(decision=_BY_CONTRACT[thresholds.without_traffic], reason=said)
    else:
        said = reasons.praise(metrics) if enough else f"{few} came; {traffic}; {reasons.praise(metrics)}"
        if not enough and thresholds.without_traffic == "roll_back":
            return Verdict(decision="fail", reason=said)
    if not is_last:
        evidence = f"{reasons.against(weighing)}; {reasons.in_favour(weighing)}"
        return Verdict(decision="pass", reason=f"{said}; {evidence}")
    return _conclude(weighing, thresholds, said, patience_left=patience_left)


def _conclude(weighing: Weighing, thresholds: RolloutThresholds, said: str, *, patience_left: bool) -> Verdict:
    """Decide on a promotion: by evidence, or without it once patience is over."""
    if weighing.is_good:
        return Verdict(decision="pass", reason=f"{said}; {reasons.proof(weighing)}")
    doubt = reasons.doubt(weighing)
    if patience_left:
        return Verdict(decision="wait", reason=f"{doubt}; {said}")
    by_contract = f"without evidence: {thresholds.without_evidence}"
    return Verdict(decision=_BY_CONTRACT[thresholds.without_evidence], reason=f"{doubt}; {by_contract}; {said}")


def _accuse(
    metrics: RolloutMetrics, weighing: Weighing, thresholds: RolloutThresholds, *, patience_left: bool
) -> Verdict:
    """Withdraw a challenger; or wait for truths, where they may show that it is right to answer otherwise."""
    if weighing.is_disputed and patience_left:
        return Verdict(decision="wait", reason=reasons.dispute(metrics, weighing, thresholds))
    return Verdict(decision="fail", reason=reasons.complaint(metrics, weighing, thresholds))
