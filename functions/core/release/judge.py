"""The verdict on a challenger: numbers against thresholds, and the reason in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from functions.core.release.evidence import Evidence
    from models.section import Release

Decision = Literal["pass", "wait", "fail"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    decision: Decision
    reason: str


def judge(evidence: Evidence, thresholds: Release, *, patience_left: bool) -> Verdict:
    """Let the challenger rise, watch it for longer, or withdraw it.

    Errors that no further request could make good end a release at once. Otherwise a step
    is judged when it has seen enough requests, or when patience is over: then on whatever
    it has seen, and without any request as the contract says.
    """
    enough = evidence.requests >= thresholds.minimum_requests
    allowed = thresholds.maximum_error_rate * max(evidence.requests, thresholds.minimum_requests)
    if evidence.errors > allowed:
        return Verdict(decision="fail", reason=f"errors: {_errors(evidence, thresholds)}")
    if not enough and patience_left:
        return Verdict(
            decision="wait", reason=f"{evidence.requests} of at least {thresholds.minimum_requests} requests so far"
        )
    if evidence.requests == 0:
        decision: Decision = "pass" if thresholds.without_traffic == "promote" else "fail"
        return Verdict(decision=decision, reason=f"no request came; without traffic: {thresholds.without_traffic}")
    complaint = _complaint(evidence, thresholds)
    if complaint:
        return Verdict(decision="fail", reason=complaint)
    if not enough and thresholds.without_traffic == "roll_back":
        return Verdict(
            decision="fail", reason=f"only {evidence.requests} of at least {thresholds.minimum_requests} requests came"
        )
    return Verdict(decision="pass", reason=_praise(evidence))


def _complaint(evidence: Evidence, thresholds: Release) -> str | None:
    if evidence.error_rate > thresholds.maximum_error_rate:
        return f"errors: {_errors(evidence, thresholds)}"
    if evidence.agreement is not None and evidence.agreement < thresholds.minimum_agreement:
        return (
            f"agreement with the champion: {evidence.agreement:.3f} on {evidence.requests} requests, "
            f"at least {thresholds.minimum_agreement:g} is accepted"
        )
    ratio, slow = evidence.latency_ratio, evidence.challenger_ms
    if ratio is None or slow is None or slow <= thresholds.latency_floor_ms:
        return None
    if ratio > thresholds.maximum_latency_ratio:
        return (
            f"latency: median {slow:.1f} ms, {ratio:.1f} times the champion's {evidence.champion_ms:.1f} ms, "
            f"at most {thresholds.maximum_latency_ratio:g} times is accepted"
        )
    return None


def _errors(evidence: Evidence, thresholds: Release) -> str:
    return (
        f"{evidence.errors} of {evidence.requests} requests, "
        f"at most {thresholds.maximum_error_rate * 100:g} % are accepted"
    )


def _praise(evidence: Evidence) -> str:
    parts = [f"{evidence.requests} requests", f"{evidence.errors} errors"]
    if evidence.agreement is not None:
        parts.append(f"agreement {evidence.agreement:.3f}")
    if evidence.challenger_ms is not None:
        parts.append(f"median {evidence.challenger_ms:.1f} ms, the champion's {evidence.champion_ms:.1f} ms")
    return ", ".join(parts)
