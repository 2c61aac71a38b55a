"""The stage of a rehearsal: versions of a model, open on this machine, and what callers asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from functions.core.onnx.session import BadModel
from functions.core.registry.versions import Corrupt, Registry
from functions.core.serving.opening import open_version
from functions.core.storage.objects import Missing
from sml.answer import alike, answer_of, differing_rows
from sml.asked_again import AskedAgain, NotAskable
from sml.captured_requests import CapturedRequests, span_of
from sml.mistake import Mistake
from sml.rehearsal import Pair, Rehearsal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from functions.core.onnx.tensor import Tensor
    from functions.core.serving.servable import Servable
    from functions.core.watching.answered import Answered, Captured
    from functions.core.watching.captured_rows import CapturedRows
    from sml.answer import Answer
    from sml.stack import Stack


class Stage:
    """The versions of a model, open on this machine, and what was captured of them."""

    def __init__(self, stack: Stack, model: str, answered: Answered | None = None) -> None:
        """With `answered` the numbers of answers are kept, for truths to be measured by."""
        self.requests = CapturedRequests(stack, model)
        self._registry = Registry(stack.registry, stack.model(model))
        self._model = model
        self._answered = answered
        self._open: dict[str, Servable | str] = {}

    def rehearse(
        self, version: str, number: int, *, most: int, say: Callable[[str], None], today: datetime | None = None
    ) -> Rehearsal:
        """Ask a version what callers asked in so many days, today included, at most so many requests, evenly chosen.

        Raise `Mistake` where it does not open, where nothing was captured, or where nothing can be asked.
        """
        wanted = span_of(number, today)
        found = Rehearsal(model=self._model, version=version, first=wanted[0], last=wanted[-1])
        candidate = self._opened(version)
        if isinstance(candidate, str):
            raise Mistake(f"{self._model} @ {version} cannot be asked: {candidate}")
        parts = self.requests.read(found, wanted, most)
        say(f"{sum(len(rows.lengths) for _, rows in parts):,} requests are asked again")
        for then, rows in parts:
            self._ask(found, candidate, then, rows)
        found.require_answers()
        return found

    def _ask(self, found: Rehearsal, candidate: Servable, then: str, rows: CapturedRows) -> None:
        """Ask what one version was asked."""
        champion = self._opened(then)
        if then == candidate.version:
            found.passed_over["answered by this version itself"] += len(rows.lengths)
            return
        if isinstance(champion, str):
            found.passed_over[f"answered by {then[:6]}, which does not open any more: {champion}"] += len(rows.lengths)
            return
        try:
            card, other = (self.requests.card(one) for one in (candidate.version, then))
            asked, before = AskedAgain(candidate, card, other), AskedAgain(champion, other, other)
            asked.require(rows)
            before.require(rows)
        except NotAskable as reason:
            found.passed_over[str(reason)] += len(rows.lengths)
            return
        starts = (np.cumsum(rows.lengths) - rows.lengths).tolist()
        for number, (start, length) in enumerate(zip(starts, rows.lengths.tolist(), strict=True)):
            part = slice(start, start + length)
            pair = (candidate, asked.inputs(rows, part)), (champion, before.inputs(rows, part))
            if not number:
                for servable, inputs in pair:
                    answer_of(servable, inputs)  # the first answer of a session takes longer
            order = pair if number % 2 else pair[::-1]
            answers = {servable.version: answer_of(servable, inputs) for servable, inputs in order}
            self._note(found, rows, number, part, pair, answers)

    def _note(
        self,
        found: Rehearsal,
        rows: CapturedRows,
        number: int,
        part: slice,
        pair: Sequence[tuple[Servable, Mapping[str, Tensor]]],
        answers: Mapping[str, Answer],
    ) -> None:
        (candidate, given), (champion, inputs) = pair
        ours, theirs = answers[candidate.version], answers[champion.version]
        if theirs.outputs is None:
            found.passed_over["the version that answered them fails on them here"] += 1
            return
        length = part.stop - part.start
        noted = Pair(champion=champion.version, error=ours.error, ms=(ours.ms, theirs.ms))
        if ours.outputs is not None:
            noted = noted._replace(
                agreed=candidate.agreement(ours.outputs, champion, theirs.outputs),
                said=(candidate.said(ours.outputs), champion.said(theirs.outputs)),
                numbers=(
                    self._numbers(candidate, given, ours.outputs, length),
                    self._numbers(champion, inputs, theirs.outputs, length),
                ),
            )
        found.note(rows, number, noted)
        columns = self.requests.columns(champion.version)
        assert columns is not None  # noqa: S101 - rows are read by them
        now = columns.read([champion.contents(inputs, theirs.outputs, length)])
        found.moved += not all(alike(rows.outputs[name][part], values) for name, values in now.outputs.items())
        if ours.outputs is None or noted.agreed != length:
            found.differing += differing_rows(rows, number, part, candidate, champion, (ours, theirs))

    def _numbers(
        self, servable: Servable, inputs: Mapping[str, Tensor], outputs: Mapping[str, Tensor], length: int
    ) -> Sequence[Captured]:
        """Return the numbers of an answer, row by row; none where truths are not measured."""
        if self._answered is None:
            return ()
        card = self.requests.card(servable.version)
        read = self._answered.captured(card).read([servable.contents(inputs, outputs, length)])
        return list(map(self._answered.rows(read, card), range(length)))

    def _opened(self, version: str) -> Servable | str:
        """Return a version, open; or why it does not open."""
        if version not in self._open:
            try:
                self._open[version] = open_version(self._registry.load(version))
            except (Missing, Corrupt, BadModel) as problem:
                self._open[version] = str(problem)
        return self._open[version]
