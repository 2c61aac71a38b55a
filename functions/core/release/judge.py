"""The verdict on a challenger: its rollout metrics against thresholds, and the reason in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from functions.core.release.rollout_metrics import RolloutMetrics
    from models.section import RolloutThresholds

Decision = Literal["pass", "wait", "fail"]
UNJUDGED = "nobody judged it any more: its execution was stopped, took too long, or lost its last step"
"""Why a challenger is withdrawn whose execution has ended without a word."""
FAILED = "the workflow failed"
"""How the reason begins for which a challenger is withdrawn whose execution has failed."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    decision: Decision
    reason: str


def judge(metrics: RolloutMetrics, thresholds: RolloutThresholds, *, patience_left: bool) -> Verdict:
    """Decide whether the challenger passes its step, is watched for longer, or fails.

    More errors than the step may have in all end a release at once. Otherwise a step is judged
    when it has seen enough requests, or when patience is over: then on the requests it has seen,
    and where none came, as the contract's `without_traffic` says.
    """
    enough = metrics.requests >= thresholds.minimum_requests
    allowed = thresholds.maximum_error_rate * max(metrics.requests, thresholds.minimum_requests)
    if metrics.errors > allowed:
        return Verdict(decision="fail", reason=f"errors: {_errors(metrics, thresholds)}")
    if not enough and patience_left:
        return Verdict(
            decision="wait",
            reason=f"{metrics.requests} of at least {thresholds.minimum_requests} requests so far",
        )
    by_contract: Decision = "pass" if thresholds.without_traffic == "promote" else "fail"
    if metrics.requests == 0:
        return Verdict(decision=by_contract, reason=f"no request came; without traffic: {thresholds.without_traffic}")
    complaint = _complaint(metrics, thresholds)
    if complaint:
        return Verdict(decision="fail", reason=complaint)
    if enough:
        return Verdict(decision="pass", reason=_praise(metrics))
    few = f"{metrics.requests} of at least {thresholds.minimum_requests} requests came"
    return Verdict(
        decision=by_contract, reason=f"{few}; without traffic: {thresholds.without_traffic}; {_praise(metrics)}"
    )


def _complaint(metrics: RolloutMetrics, thresholds: RolloutThresholds) -> str | None:
    if metrics.error_rate > thresholds.maximum_error_rate:
        return f"errors: {_errors(metrics, thresholds)}"
    if metrics.agreement is not None and metrics.agreement < thresholds.minimum_agreement:
        return (
            f"agreement with the champion: {metrics.agreement:.3f} on {metrics.requests} requests, "
            f"at least {thresholds.minimum_agreement:g} is accepted"
        )
    ratio, slow = metrics.latency_ratio, metrics.challenger_ms
    if ratio is None or slow is None or slow <= thresholds.latency_floor_ms:
        return None
    if ratio > thresholds.maximum_latency_ratio:
        return (
            f"latency: median {slow:.1f} ms, {ratio:.1f} times the champion's {metrics.champion_ms:.1f} ms, "
            f"at most {thresholds.maximum_latency_ratio:g} times is accepted"
        )
    return None


def _errors(metrics: RolloutMetrics, thresholds: RolloutThresholds) -> str:
    return (
        f"{metrics.errors} of {metrics.requests} requests, "
        f"at most {thresholds.maximum_error_rate * 100:g} % are accepted"
    )


def _praise(metrics: RolloutMetrics) -> str:
    parts = [f"{metrics.requests} requests", f"{metrics.errors} errors"]
    if metrics.agreement is not None:
        parts.append(f"agreement {metrics.agreement:.3f}")
    if metrics.challenger_ms is not None:
        parts.append(f"median {metrics.challenger_ms:.1f} ms, the champion's {metrics.champion_ms:.1f} ms")
    return ", ".join(parts)
