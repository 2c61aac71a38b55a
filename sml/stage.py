"""The stage of a rehearsal: versions of a model, open on this machine, and what callers asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.onnx.session import BadModel
from functions.core.registry.daily_usage import days
from functions.core.registry.versions import Corrupt, Registry
from functions.core.serving.opening import open_version
from functions.core.storage.objects import Missing
from functions.core.watching.captured_columns import columns_of
from functions.core.watching.captured_day import CapturedDay, again
from sml.answer import alike, answer_of, differing_rows
from sml.asked_again import AskedAgain, NotAskable
from sml.drift import NOTHING_CAPTURED
from sml.mistake import Mistake
from sml.rehearsal import Rehearsal
from sml.thinned import Thinned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.onnx.tensor import Tensor
    from functions.core.serving.servable import Servable
    from functions.core.watching.captured_columns import CapturedColumns
    from functions.core.watching.captured_rows import CapturedRows
    from sml.answer import Answer
    from sml.stack import Stack

ROLES = ("champion", "previous")
"""In which role a version answered what is asked again: a canary's own answers are no measure."""


class Stage:
    """The versions of a model, open on this machine, and what was captured of them."""

    def __init__(self, stack: Stack, model: str) -> None:
        self._captures = stack.captures
        self._registry = Registry(stack.registry, stack.model(model))
        self._model = model
        self._columns: dict[str, CapturedColumns | None] = {}
        self._open: dict[str, Servable | str] = {}

    def columns(self, version: str) -> CapturedColumns | None:
        """Return those of the captures of a version; None where it is gone."""
        if version not in self._columns:
            self._columns[version] = columns_of(self._registry.card(version))
        return self._columns[version]

    def rehearse(
        self, version: str, number: int, *, most: int, say: Callable[[str], None], today: datetime | None = None
    ) -> Rehearsal:
        """Ask a version what callers asked in so many days, today included, at most so many requests, evenly chosen.

        Raise `Mistake` where it does not open, where nothing was captured, or where nothing can be asked.
        """
        wanted = days((today or datetime.now(UTC)).date(), number)
        found = Rehearsal(model=self._model, version=version, first=wanted[0], last=wanted[-1])
        candidate = self._opened(version)
        if isinstance(candidate, str):
            raise Mistake(f"{self._model} @ {version} cannot be asked: {candidate}")
        held = Thinned(most)
        for day in wanted:
            captured = CapturedDay(self._captures, self._model, day, self.columns, roles=ROLES)
            for asked in again(lambda captured=captured: list(captured.rows())):
                held.add(*asked)
            if captured.unread:
                found.passed_over["of versions that are gone, or no rows of columns"] += captured.unread
        if not held.parts and not found.passed_over:
            raise Mistake(
                f"no row of {self._model} was captured from {found.first} to {found.last}. {NOTHING_CAPTURED}"
            )
        say(f"{held.requests:,} requests are asked again")
        for then, rows in held.parts:
            self._ask(found, candidate, then, rows)
        if not found.records:
            why = "; ".join(f"{count:,} {reason}" for reason, count in found.passed_over.most_common())
            raise Mistake(f"of what was captured from {found.first} to {found.last} nothing can be asked: {why}")
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
            card, other = (self._registry.card(one) or {} for one in (candidate.version, then))
            asked, before = AskedAgain(candidate, card, other), AskedAgain(champion, other, other)
            asked.require(rows)
            before.require(rows)
        except NotAskable as reason:
            found.passed_over[str(reason)] += len(rows.lengths)
            return
        columns = self.columns(then)
        assert columns is not None  # noqa: S101 - rows are read by them
        starts = (np.cumsum(rows.lengths) - rows.lengths).tolist()
        for number, (start, length) in enumerate(zip(starts, rows.lengths.tolist(), strict=True)):
            part = slice(start, start + length)
            pair = (candidate, asked.inputs(rows, part)), (champion, before.inputs(rows, part))
            if not number:
                for servable, inputs in pair:
                    answer_of(servable, inputs)  # the first answer of a session takes longer
            order = pair if number % 2 else pair[::-1]
            answers = {servable.version: answer_of(servable, inputs) for servable, inputs in order}
            self._note(found, rows, number, part, candidate, champion, answers, pair[1][1], columns)

    def _note(  # noqa: PLR0913, PLR0917 - both sides of one request
        self,
        found: Rehearsal,
        rows: CapturedRows,
        number: int,
        part: slice,
        candidate: Servable,
        champion: Servable,
        answers: Mapping[str, Answer],
        inputs: Mapping[str, Tensor],
        columns: CapturedColumns,
    ) -> None:
        ours, theirs = answers[candidate.version], answers[champion.version]
        if theirs.outputs is None:
            found.passed_over["the version that answered them fails on them here"] += 1
            return
        length = part.stop - part.start
        at = rows.times[number]
        record: dict[str, Any] = {
            "time": 0.0 if np.isnan(at) else float(at),
            "caller": rows.callers[number],
            "version": candidate.version,
            "variant": "shadow",
            "rows": length,
            "ms": ours.ms,
            "champion": {"version": champion.version, "ms": theirs.ms},
        }
        if ours.outputs is None:
            record["error"] = ours.error
        else:
            record["agreed"] = candidate.agreement(ours.outputs, champion, theirs.outputs)
        found.records.append(record)
        found.answered_then[champion.version] += 1
        found.rows += length
        now = columns.read([champion.contents(inputs, theirs.outputs, length)])
        found.moved += not all(alike(rows.outputs[name][part], values) for name, values in now.outputs.items())
        if record.get("agreed") != length:
            found.differing += differing_rows(rows, number, part, candidate, champion, (ours, theirs))

    def _opened(self, version: str) -> Servable | str:
        """Return a version, open; or why it does not open."""
        if version not in self._open:
            try:
                self._open[version] = open_version(self._registry.load(version))
            except (Missing, Corrupt, BadModel) as problem:
                self._open[version] = str(problem)
        return self._open[version]
