"""Weighing: what the outcomes of a release show about a challenger, with the risks of its contract."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

from functions.core.release.evidence import evidence_above, evidence_below, shown_at_most

if TYPE_CHECKING:
    from functions.core.release.outcomes import Outcomes
    from models.section import Risk, RolloutThresholds

SMALLEST_UNACCEPTABLE = 0.01
"""What is unacceptable where nothing is allowed: no number of requests shows that there are never any."""

SLOW = 0.5
"""The share of the requests that may be slow: the contract's ratio bounds the median."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One rate that a challenger is judged by: how often it fails, answers otherwise, or is slow."""

    about: Literal["errors", "agreement", "latency"]
    total: float
    count: int
    allowed: float
    """At most; 1 where nothing is asked for."""
    unacceptable: float
    """At least."""

    @property
    def against(self) -> float:
        """The evidence that the rate is above what is allowed."""
        return evidence_above(self.total, self.count, self.allowed)

    @property
    def in_favour(self) -> float:
        """The evidence that the rate is below what is unacceptable."""
        return evidence_below(self.total, self.count, self.allowed, self.unacceptable)

    def shown(self, risk: float) -> float:
        """Return the rate below which the outcomes show this one to be."""
        return shown_at_most(self.total, self.count, self.allowed, risk)

    @property
    def rate(self) -> float:
        return self.total / self.count if self.count else 0.0


@dataclass(frozen=True, kw_only=True)
class Weighing:
    """The questions of a release, and whether they are answered."""

    questions: tuple[Question, ...]
    risk: Risk

    @property
    def against(self) -> float:
        """The evidence against the challenger: the mean over the questions.

        Where all that is allowed is kept to, a mean of bets is a bet, however they depend on each other.
        """
        return fmean(question.against for question in self.questions)

    @property
    def in_favour(self) -> float:
        """The evidence for it: the least, since each question must be answered."""
        return min(question.in_favour for question in self.asked)

    @property
    def enough_against(self) -> float:
        return 1 / self.risk.withdraw_good

    @property
    def enough_in_favour(self) -> float:
        return 1 / self.risk.promote_bad

    @property
    def is_bad(self) -> bool:
        return self.against >= self.enough_against

    @property
    def is_good(self) -> bool:
        return not self.open

    @property
    def asked(self) -> tuple[Question, ...]:
        """The questions for which the contract allows less than everything."""
        return tuple(question for question in self.questions if question.allowed < 1)

    @property
    def open(self) -> tuple[Question, ...]:
        """The questions of which good answers are not shown yet."""
        return tuple(question for question in self.asked if question.in_favour < self.enough_in_favour)

    @property
    def has_outcomes(self) -> bool:
        return any(question.count for question in self.questions)

    @property
    def worst(self) -> Question:
        """The question with the most evidence against the challenger."""
        return max(self.questions, key=lambda question: question.against)

    def document(self) -> dict[str, Any]:
        """Return the evidence as the record of a run keeps it."""
        return {
            "against": _rounded(self.against),
            "against_needed": _rounded(self.enough_against),
            "in_favour": _rounded(self.in_favour),
            "in_favour_needed": _rounded(self.enough_in_favour),
            "questions": {
                question.about: {
                    "outcomes": question.count,
                    "rate": _rounded(question.rate),
                    "allowed": _rounded(question.allowed),
                    "unacceptable": _rounded(question.unacceptable),
                    "against": _rounded(question.against),
                    "in_favour": _rounded(question.in_favour),
                }
                for question in self.questions
            },
        }


def weigh(outcomes: Outcomes, thresholds: RolloutThresholds) -> Weighing:
    """Return what the outcomes of a whole release show, by a contract's thresholds and risks."""
    risk = thresholds.risk
    rates = (
        ("errors", outcomes.errors, outcomes.asked, thresholds.maximum_error_rate),
        ("agreement", outcomes.disagreed, outcomes.compared, round(1 - thresholds.minimum_agreement, 12)),
        ("latency", outcomes.slow, outcomes.compared, SLOW),
    )
    questions = tuple(
        Question(about=about, total=total, count=count, allowed=allowed, unacceptable=unacceptable(allowed, risk))
        for about, total, count, allowed in rates
    )
    return Weighing(questions=questions, risk=risk)


def unacceptable(allowed: float, risk: Risk) -> float:
    """Return the rate that is unacceptable where `allowed` is allowed: that with so many times its odds."""
    if allowed <= 0:
        return SMALLEST_UNACCEPTABLE
    return risk.unacceptable_odds * allowed / (1 - allowed + risk.unacceptable_odds * allowed)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
