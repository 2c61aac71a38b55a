"""A rehearsal by a job: what callers asked is answered by the stack, and compared with what they were answered."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.release.release_truths import usual_error
from functions.core.training.class_answers import ClassAnswers
from functions.core.training.number_answers import NumberAnswers
from functions.core.watching.answered import Captured
from sml.answer import when
from sml.asked_again import NotAskable
from sml.candidate_job import CandidateJob
from sml.captured_requests import CapturedRequests, span_of
from sml.job_rows import JobRows, columns_of_table
from sml.mistake import Mistake
from sml.rehearsal import Pair, Rehearsal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from functions.core.watching.answered import Answered
    from functions.core.watching.captured_rows import CapturedRows
    from sml.stack import Stack

Prediction = dict[str, Any]
ENDS = ("low", "high")


class JobStage:
    """The jobs function of a stack, and what was captured of a model's versions."""

    def __init__(self, stack: Stack, model: str, answered: Answered | None, *, seconds: float) -> None:
        """Wait for the job so many seconds. Raise `Mistake` where the stack has no jobs, or answers are no rows."""
        stack.function("jobs")
        if answered is None:
            raise Mistake(
                f"--by-job: {model} names no classes (scores) by which answers could be compared; without it they are"
                " compared on this machine"
            )
        self.requests = CapturedRequests(stack, model)
        self._stack = stack
        self._model = model
        self._answered = answered
        self._seconds = seconds

    def rehearse(
        self, version: str, number: int, *, most: int, say: Callable[[str], None], today: datetime | None = None
    ) -> Rehearsal:
        """Have a version answer what callers asked in so many days, today included, and return both answers.

        Raise `Mistake` where nothing was captured, where nothing can be asked, or where the job fails.
        """
        wanted = span_of(number, today)
        found = Rehearsal(model=self._model, version=version, first=wanted[0], last=wanted[-1])
        card = self.requests.card(version)
        table = io.StringIO()
        lines = csv.writer(table, lineterminator="\n")
        try:
            lines.writerow(columns_of_table(card))
        except NotAskable as reason:
            raise Mistake(
                f"{self._model} @ {version} cannot be asked {reason}; without --by-job it is asked here"
            ) from None
        asked = [one for one in self.requests.read(found, wanted, most) if self._write(found, card, *one, lines)]
        if not asked:
            found.require_answers()
        rows = sum(one.rows for _, one in asked)
        job = CandidateJob(self._stack.jobs, self._model, version, say=say)
        found.job = job.name
        say(f"{sum(len(one.lengths) for _, one in asked):,} requests, {rows:,} rows, are asked again by job {job.name}")
        answers = job.answers(table.getvalue().encode(), rows, self._seconds)
        begin = 0
        for then, one in asked:
            self._note(found, card, then, one, answers[begin : begin + one.rows])
            begin += one.rows
        return found

    def _write(self, found: Rehearsal, card: Mapping[str, Any], then: str, rows: CapturedRows, lines: Any) -> bool:
        """Write what one version was asked, and return whether the other can be asked it."""
        other = self.requests.card(then)
        wrong = self._answered.why_not_comparable(other)
        if then == found.version:
            found.passed_over["answered by this version itself"] += len(rows.lengths)
        elif wrong:
            found.passed_over[f"answered by {then[:6]}: {wrong}"] += len(rows.lengths)
        else:
            try:
                lines.writerows(JobRows(card, other).cells(rows))
            except NotAskable as reason:
                found.passed_over[str(reason)] += len(rows.lengths)
            else:
                return True
        return False

    def _note(
        self,
        found: Rehearsal,
        card: Mapping[str, Any],
        then: str,
        rows: CapturedRows,
        answers: Sequence[Prediction],
    ) -> None:
        """Note what was answered to the requests of one version, which answered them then."""
        other = self.requests.card(then)
        theirs = list(map(self._answered.rows(rows, other), range(rows.rows)))
        before = self._predictions(theirs, other)
        near = usual_error(other)
        begin = 0
        for number, length in enumerate(rows.lengths.tolist()):
            part = slice(begin, begin + length)
            mine, his = answers[part], before[part]
            alike = [_alike(one, one_then, near) for one, one_then in zip(mine, his, strict=True)]
            pair = Pair(champion=then, error=_error(mine))
            if not pair.error:
                pair = pair._replace(
                    agreed=sum(alike),
                    said=([_said(one) for one in mine], [_said(one) for one in his]),
                    numbers=(list(_numbers(card, mine, theirs[part])), theirs[part]),
                )
            found.note(rows, number, pair)
            found.differing += [
                {
                    "request": rows.requests[number],
                    "time": when(float(rows.times[number])),
                    "row": row,
                    "inputs": {name: _plain(values[begin + row]) for name, values in rows.inputs.items()},
                    "champion": his[row],
                    "candidate": mine[row],
                }
                for row in range(length)
                if pair.error or not alike[row]
            ]
            begin += length

    def _predictions(self, rows: Sequence[Captured], card: Mapping[str, Any]) -> list[Prediction]:
        """Return what the version of a card answered, as its answers were written."""
        inputs = np.array([row.inputs for row in rows], dtype=np.float64)
        answers = self._answered.answers(inputs, np.array([row.outputs for row in rows], dtype=np.float64), dict(card))
        if isinstance(answers, ClassAnswers):
            classes, scores = _classes(card), "scores" if "scores" in card else "probabilities"
            return [
                {"label": classes[label], scores: dict(zip(classes, row.outputs, strict=True))}
                for label, row in zip(answers.labels.tolist(), rows, strict=True)
            ]
        assert isinstance(answers, NumberAnswers)  # noqa: S101 - an answer is a class or a number
        return [dict(zip(("value", *ENDS), map(float, row.outputs), strict=False)) for row in rows]


def _numbers(card: Mapping[str, Any], answers: Sequence[Prediction], then: Sequence[Captured]) -> Iterator[Captured]:
    """Yield the numbers of answers, beside what was asked."""
    for one, row in zip(answers, then, strict=True):
        if "label" in one:
            scores = one.get("probabilities") or one.get("scores") or {}
            yield Captured(row.inputs, [float(scores[name]) for name in _classes(card)])
        else:
            yield Captured(row.inputs, [float(one[name]) for name in ("value", *ENDS) if name in one])


def _classes(card: Mapping[str, Any]) -> Sequence[str]:
    return card["scores"]["classes"] if "scores" in card else card["target"]["classes"]


def _said(prediction: Prediction) -> Any:
    """Return what an answer says, as a truth of it would be told."""
    return prediction["label"] if "label" in prediction else prediction["value"]


def _alike(ours: Prediction, theirs: Prediction, near: float) -> bool:
    """Return whether two answers are the same: the same class, or numbers no farther apart than the other errs."""
    if "error" in ours:
        return False
    one, other = _said(ours), _said(theirs)
    return one == other if isinstance(one, str) else abs(one - other) <= near


def _error(answers: Sequence[Prediction]) -> str:
    """Return why a request would get no answer: a row of it is refused, or the version fails on one; "" for none."""
    statuses = [int(one["error"].get("status") or 500) for one in answers if "error" in one]
    return "" if not statuses else "failed" if max(statuses) >= 500 else "refused"


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and np.isnan(value) else value
