"""Reasons: what was seen of a challenger, what is allowed, and what that shows, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.release.loss_question import LossQuestion

if TYPE_CHECKING:
    from functions.core.release.question import Question
    from functions.core.release.rollout_metrics import RolloutMetrics
    from functions.core.release.weighing import Weighing
    from models.section import Risk, RolloutThresholds


def complaint(metrics: RolloutMetrics, weighing: Weighing, thresholds: RolloutThresholds) -> str:
    """Return by what a challenger is shown to be bad, and how sure that is."""
    worst, risk = weighing.worst, percent(weighing.risk.withdraw_good)
    seen = _seen(worst, metrics, thresholds)
    if worst.about == "agreement" and weighing.loss is not None:
        seen = f"{seen}, and no truths show that it is right more often: {_truths(weighing.loss, weighing.risk)}"
    return f"{seen}; {against(weighing)}: wrong for {risk} of good versions at most"


def dispute(metrics: RolloutMetrics, weighing: Weighing, thresholds: RolloutThresholds) -> str:
    """Return that a challenger answers otherwise than allowed, and that truths are to say which of the two is right."""
    assert weighing.loss is not None  # noqa: S101 - nothing is disputed without truths
    truths = _truths(weighing.loss, weighing.risk)
    agreement = next(one for one in weighing.questions if one.about == "agreement")
    return f"{_seen(agreement, metrics, thresholds)}; truths are waited for, which say who is right: {truths}"


def praise(metrics: RolloutMetrics) -> str:
    """Return what was seen in a step."""
    parts = [f"{metrics.requests} requests", f"{metrics.errors} errors"]
    if metrics.agreement is not None:
        parts.append(f"agreement {metrics.agreement:.3f}")
    if metrics.challenger_ms is not None:
        parts.append(f"median {metrics.challenger_ms:.1f} ms, the champion's {metrics.champion_ms:.1f} ms")
    if metrics.callers == 1 < metrics.requests:
        parts.append("all of one caller")
    return ", ".join(parts)


def proof(weighing: Weighing) -> str:
    """Return what is shown of a challenger that is good, and how sure that is."""
    said = {
        "errors": "errors below {0}",
        "agreement": "agreement above {1:.3g}",
        "latency": "fewer than {0} of the requests too slow",
        "truth": "a loss by truths below {0}",
        "excused": "right more often than the champion where it answers otherwise",
    }
    shown = []
    for one in weighing.asked:
        about = "excused" if one.about == "agreement" and one.in_favour < weighing.in_favour_of(one) else one.about
        shown.append(said[about].format(percent(one.unacceptable), 1 - one.unacceptable))
    return f"shown: {', '.join(shown)}: wrong for {percent(weighing.risk.promote_bad)} of bad versions at most"


def doubt(weighing: Weighing) -> str:
    """Return what the outcomes of a release are too few to show."""
    return f"not enough evidence: {', and '.join(_open(question, weighing.risk) for question in weighing.open)}"


def against(weighing: Weighing) -> str:
    """Return the evidence against a challenger beside what is needed to withdraw it."""
    return f"evidence against: {_amount(weighing.against)} of {_amount(weighing.enough_against)} needed"


def in_favour(weighing: Weighing) -> str:
    """Return the evidence for a challenger beside what is needed to promote it."""
    return f"evidence for: {_amount(weighing.in_favour)} of {_amount(weighing.enough_in_favour)} needed"


def percent(share: float) -> str:
    """Return a share as a text, such as 2.94 %."""
    return f"{share * 100:.3g} %"


def _seen(question: Question, metrics: RolloutMetrics, thresholds: RolloutThresholds) -> str:
    outcomes = f"{question.count} {_unit(thresholds.risk)}"
    match question.about:
        case "errors":
            accepted = f"at most {thresholds.maximum_error_rate * 100:g} % are accepted"
            return f"errors: {question.total:.4g} of {outcomes}, {accepted}"
        case "agreement":
            accepted = f"at least {thresholds.minimum_agreement:g} is accepted"
            return f"agreement with the champion: {1 - question.rate:.3f} on {outcomes}, {accepted}"
        case "latency":
            ratio, accepted = thresholds.maximum_latency_ratio, f"{percent(question.allowed)} are accepted"
            slow = f"{question.total:.4g} of {outcomes} took over {ratio:g} times the champion's time, {accepted}"
            return f"latency: {_medians(metrics)}{slow}"
        case "truth":
            assert isinstance(question, LossQuestion)  # noqa: S101 - it is what is asked of truths
            return f"truth: {_truths(question, thresholds.risk)}"


def _truths(loss: LossQuestion, risk: Risk) -> str:
    """Return what truths came, and what they say."""
    parts = [f"none came in time of {_unit(risk)} that both answered"]
    if loss.count:
        won = f"{loss.total:.4g} worse and {loss.better:.4g} better than the champion"
        parts = [f"{won} in {loss.count} labelled {_unit(risk)}, a loss of {percent(loss.rate)}"]
    if loss.one_class:
        parts.append(f"all truths are of the class {loss.one_class}, which speaks for no version")
    if loss.early:
        parts.append(f"{loss.early} came before their requests: a clock is off, or a key is in use again")
    return ", ".join(parts)


def _medians(metrics: RolloutMetrics) -> str:
    if metrics.latency_ratio is None:
        return ""
    times = f"{metrics.latency_ratio:.1f} times the champion's {metrics.champion_ms:.1f} ms"
    return f"median {metrics.challenger_ms:.1f} ms, {times}; "


def _open(question: Question, risk: Risk) -> str:
    outcomes = f"{question.count} {_unit(risk)}"
    if isinstance(question, LossQuestion):
        if not question.count or question.one_class:
            return f"of truths {_truths(question, risk)}"
        rate, bound = percent(question.shown(risk.promote_bad)), percent(question.unacceptable)
        return f"{outcomes} with truths show a loss of at most {rate}, {bound} is unacceptable"
    if not question.count:
        return f"no request shows the {'error rate' if question.about == 'errors' else question.about}"
    rate, allowed = question.shown(risk.promote_bad), question.allowed
    match question.about:
        case "errors":
            return f"{outcomes} show an error rate of at most {percent(rate)}, {percent(allowed)} is allowed"
        case "agreement":
            return f"{outcomes} show an agreement of at least {1 - rate:.2g}, {1 - allowed:g} is accepted"
        case _:
            return f"{outcomes} show at most {percent(rate)} to be too slow, {percent(allowed)} may be"


def _unit(risk: Risk) -> str:
    return "requests" if risk.unit == "request" else "minutes of callers"


def _amount(evidence: float) -> str:
    if evidence >= 1000:
        return f"over {min(10 ** (len(f'{evidence:.0f}') - 1), 10**6):,}"
    return f"{evidence:.2g}" if evidence < 10 else f"{evidence:.0f}"
