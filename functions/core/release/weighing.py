"""Weighing: what the outcomes of a release show about a challenger, with the risks of its contract."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from functions.core.release.loss_question import LossQuestion
from functions.core.release.question import About, Question, rounded

if TYPE_CHECKING:
    from functions.core.release.outcomes import Outcomes
    from models.labels import Labels
    from models.section import Risk, RolloutThresholds

SMALLEST_UNACCEPTABLE = 0.01
"""What is unacceptable where nothing is allowed: no number of requests shows that there are never any."""

SLOW = 0.5
"""The share of the requests that may be slow: the contract's ratio bounds the median."""


@dataclass(frozen=True, kw_only=True)
class Weighing:
    """The questions of a release, and whether they are answered."""

    questions: tuple[Question, ...]
    risk: Risk

    @property
    def against(self) -> float:
        """The evidence against the challenger: the mean over the questions.

        Where all that is allowed is kept to, a mean of bets is a bet, however they depend on each other.
        Disagreement that is excused counts for no more than none.
        """
        return fmean(self._against(question) for question in self.questions)

    def _against(self, question: Question) -> float:
        return min(question.against, 1.0) if question.about == "agreement" and self.excuses else question.against

    @property
    def in_favour(self) -> float:
        """The evidence for it: the least, since each question must be answered."""
        return min(self.in_favour_of(question) for question in self.asked)

    def in_favour_of(self, question: Question) -> float:
        """Return the evidence that a question has a good answer.

        Where truths are judged, disagreement is bad only in one that is not right more often than the champion: the
        mean of the evidence against either half of that is evidence against the whole.
        """
        loss = self.loss
        if question.about != "agreement" or loss is None:
            return question.in_favour
        return (question.in_favour + loss.right_more_often) / 2

    @property
    def loss(self) -> LossQuestion | None:
        """The question about truths; None where they are not judged."""
        return next((one for one in self.questions if isinstance(one, LossQuestion)), None)

    @property
    def excuses(self) -> bool:
        """Whether truths show that the challenger is right where it answers otherwise than the champion."""
        return self.loss is not None and self.loss.right_more_often / 2 >= self.enough_in_favour

    @property
    def is_disputed(self) -> bool:
        """Whether disagreement alone speaks against it, and truths may still say which of the two is right."""
        if self.loss is None or not self.loss.is_expected or not self.is_bad:
            return False
        rest = (min(one.against, 1.0) if one.about == "agreement" else one.against for one in self.questions)
        return fmean(rest) < self.enough_against

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
        """The questions that a promotion asks for an answer."""
        return tuple(question for question in self.questions if question.is_asked)

    @property
    def open(self) -> tuple[Question, ...]:
        """The questions of which good answers are not shown yet."""
        return tuple(question for question in self.asked if self.in_favour_of(question) < self.enough_in_favour)

    @property
    def has_outcomes(self) -> bool:
        return any(question.count for question in self.questions)

    @property
    def worst(self) -> Question:
        """The question with the most evidence against the challenger."""
        return max(self.questions, key=self._against)

    def document(self) -> dict[str, Any]:
        """Return the evidence as the record of a run keeps it."""
        return {
            "against": rounded(self.against),
            "against_needed": rounded(self.enough_against),
            "in_favour": rounded(self.in_favour),
            "in_favour_needed": rounded(self.enough_in_favour),
            "questions": {
                one.about: {**one.document(), "in_favour": rounded(self.in_favour_of(one))} for one in self.questions
            },
        }


def weigh(outcomes: Outcomes, thresholds: RolloutThresholds, labels: Labels | None = None) -> Weighing:
    """Return what the outcomes of a whole release show, by a contract's thresholds and risks.

    `labels` is what it says of truths; without it they are not judged. Whether they are is known before the first of
    them comes: a mean over more bets from some moment on would be no bet.
    """
    risk = thresholds.risk
    rates: tuple[tuple[About, float, int, float], ...] = (
        ("errors", outcomes.errors, outcomes.asked, thresholds.maximum_error_rate),
        ("agreement", outcomes.disagreed, outcomes.compared, round(1 - thresholds.minimum_agreement, 12)),
        ("latency", outcomes.slow, outcomes.compared, SLOW),
    )
    questions: tuple[Question, ...] = tuple(
        Question(about=about, total=total, count=count, allowed=allowed, unacceptable=unacceptable(allowed, risk))
        for about, total, count, allowed in rates
    )
    if labels is not None:
        questions = (*questions, _loss(outcomes, risk, labels))
    return Weighing(questions=questions, risk=risk)


def _loss(outcomes: Outcomes, risk: Risk, labels: Labels) -> LossQuestion:
    return LossQuestion(
        about="truth",
        total=outcomes.worse,
        better=outcomes.better,
        count=outcomes.labelled,
        allowed=0.0,
        unacceptable=risk.unacceptable_loss,
        is_expected=labels.horizon_minutes is not None,
        one_class=outcomes.one_class,
        early=outcomes.early,
    )


def unacceptable(allowed: float, risk: Risk) -> float:
    """Return the rate that is unacceptable where `allowed` is allowed: that with so many times its odds."""
    if allowed <= 0:
        return SMALLEST_UNACCEPTABLE
    return risk.unacceptable_odds * allowed / (1 - allowed + risk.unacceptable_odds * allowed)
