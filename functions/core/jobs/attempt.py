"""One attempt at a job: the work that one delivery of one of its messages does.

The first attempt makes a plan: into which parts the input is cut, and how many rows go through the
model at once. It announces as many parts as workers may be at it; each worker takes one part of so
many in turn, and has the rest announced when its time is over. Whoever does the last part writes the result.
"""

from __future__ import annotations

import gzip
import time
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from functions.core.http.problem import Problem
from functions.core.jobs.answers import Answered
from functions.core.jobs.checkpoints import Checkpoint, Checkpoints, Plan
from functions.core.jobs.job import Format
from functions.core.jobs.source import JobInput, gone, replaced
from functions.core.storage.objects import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from functions.core.dataset.wanted import Reader
    from functions.core.jobs.answers import Answers
    from functions.core.jobs.job import Job
    from functions.core.serving.model_cache import ModelCache
    from functions.core.serving.servable import Servable
    from functions.core.storage.objects import Objects

FEW_ROWS = 100
"""Rows by which an attempt measures how fast a version answers."""
MOST_BATCH_ROWS = 10_000
"""No more than one request may have."""
BATCH_SECONDS = 0.5
"""How long one batch should take: so finely the time that is left is looked at."""
PART_SECONDS = 5.0
"""How long a part should take: so much is lost when a worker dies."""
PART_BYTES = 8_000_000
"""The largest part of a file that can be read from the middle."""
MOST_PART_ROWS = 100_000
MOST_ROWS = 10_000_000
SPARE_SECONDS = 1.0
"""How much time an attempt leaves unused when it stops, beyond the time for another part."""
JOIN_SECONDS = 0.05
"""The time for each part when the result is joined from them."""


@dataclass(frozen=True, kw_only=True)
class JobAttempt:
    """One attempt at one job, and the time that is left for it."""

    objects: Objects
    job: Job
    seconds_left: Callable[[], float]
    reader: Callable[[], AbstractContextManager[Reader]]
    """Returns what reads tables while it is open."""
    part: int = 1
    """The part with which it begins."""
    parallelism: int = 1
    """How many workers may be at one job."""
    version: str | None = None
    """The version that was asked for; None: the champion of the moment in which it begins."""
    clock: Callable[[], float] = time.perf_counter

    def run(self, model_cache: ModelCache) -> dict[str, Any] | None:
        """Work until the result is written, and return facts about it for the log; None when it is not done yet.

        Raises `Problem`: with a status below 500 the job itself is at fault and must not be
        retried. After any other exception it must be retried.
        """
        self._refuse_cancelled()
        size_and_state = self.objects.look(self.job.input)
        if size_and_state is None:
            raise gone()
        size, state = size_and_state
        job_input = JobInput(self.objects, self.job, size=size, state=state)
        checkpoints = Checkpoints(self.objects, self.job)
        plan = checkpoints.plan()
        if plan is not None and plan.state != str(state):
            raise replaced()
        servable = self._servable(model_cache) if plan is None else model_cache.pinned(plan.version)
        with ExitStack() as open_things:
            answers = self._answers(job_input, servable, None if plan is None else plan.facts, open_things)
            if plan is None:
                first = _beginning(answers)
                if sum(len(batch.lines) for batch in first) <= FEW_ROWS:
                    return self._finish_at_once(servable.version, first, answers.about)
                own_plan = self._plan(job_input, servable.version, answers, first)
                plan = checkpoints.begin(own_plan)
                if plan != own_plan:  # another attempt made its plan first: follow that one
                    return self.run(model_cache)
            if self.part == 1:
                self._announce(plan)
            return self._work(plan, answers, checkpoints)

    def _servable(self, model_cache: ModelCache) -> Servable:
        """Return the version that the job is to be answered by: the one that was asked for, or the champion."""
        return model_cache.current().champion if self.version is None else model_cache.pinned(self.version)

    def _refuse_cancelled(self) -> None:
        """Raise `Problem` 409 where nobody wants the answers any more."""
        if self.objects.exists(self.job.cancelled):
            raise Problem(409, "the job was cancelled")

    def _answers(
        self, job_input: JobInput, servable: Servable, facts: Mapping[str, Any] | None, open_things: ExitStack
    ) -> Answers:
        from functions.core.serving.tabular import Tabular  # noqa: PLC0415 - the version is open already

        match self.job.format:
            case Format.JSON:
                from functions.core.jobs.row_answers import RequestAnswers  # noqa: PLC0415 - each format is one way

                return RequestAnswers(job_input, servable)
            case Format.NPY | Format.NPZ:
                from functions.core.jobs.tensor_answers import TensorAnswers  # noqa: PLC0415

                return TensorAnswers(job_input, servable)
            case Format.LINES if not isinstance(servable, Tabular):
                from functions.core.jobs.row_answers import LineAnswers  # noqa: PLC0415

                return LineAnswers(job_input, servable)
            case _:
                from functions.core.jobs.table_answers import TableAnswers  # noqa: PLC0415

                return TableAnswers(job_input, servable, open_things.enter_context(self.reader()), facts)

    def _plan(self, job_input: JobInput, version: str, answers: Answers, first: list[Answered]) -> Plan:
        """Return a plan by how fast the first rows were answered."""
        # Of the first run, a part is that it is the first.
        seconds = min(max(batch.seconds, 1e-6) / len(batch.lines) for batch in first)
        affordable = min(PART_SECONDS, self.seconds_left() / 8)
        part_rows = max(FEW_ROWS, min(MOST_PART_ROWS, int(affordable / seconds)))
        batch_rows = max(FEW_ROWS, min(MOST_BATCH_ROWS, part_rows, int(BATCH_SECONDS / seconds)))
        row_bytes = sum(batch.size for batch in first) / sum(len(batch.lines) for batch in first)
        part_bytes = max(1, min(PART_BYTES, int(part_rows * row_bytes)))
        return Plan(
            version=version,
            state=str(job_input.state),
            batch_rows=batch_rows,
            part_rows=part_rows - part_rows % batch_rows,
            workers=self.parallelism,
            bounds=answers.bounds(part_bytes) if answers.splits else (),
            facts=answers.facts,
            about=answers.about or None,
        )

    def _announce(self, plan: Plan) -> None:
        """Have other workers begin with other parts."""
        for part in range(2, min(plan.workers, plan.parts or 1) + 1):
            self.objects.create(self.job.continuation(part), b"")

    def _work(self, plan: Plan, answers: Answers, checkpoints: Checkpoints) -> dict[str, Any] | None:
        """Do the parts that are this worker's, and join the result if no other part is left."""
        work = self._in_turn if plan.parts else self._in_order
        stopped_at = work(plan, answers, checkpoints)
        if stopped_at is not None:
            self.objects.create(self.job.continuation(stopped_at), b"")
            return None
        whole = checkpoints.whole(plan)
        if whole is None:
            return None  # the worker that does the last part joins the result
        return self._finish(plan.version, whole, checkpoints.contents(whole), plan.about or {})

    def _in_turn(self, plan: Plan, answers: Answers, checkpoints: Checkpoints) -> int | None:
        """Do one part of so many as there are workers; return the part to go on with, None when there is none."""
        done, longest, worked = checkpoints.done(), 0.0, False
        for number in range(self.part, len(plan.bounds), plan.workers):
            if number in done:
                continue
            if worked and self.seconds_left() < SPARE_SECONDS + 2 * longest + JOIN_SECONDS * len(plan.bounds):
                return number
            began = self.clock()
            start, stop = plan.bounds[number - 1], plan.bounds[number]
            batches = list(answers.between(start, stop, plan.batch_rows))
            self._write(checkpoints, number, batches, last=False)
            longest, worked = max(longest, self.clock() - began), True
        return None

    def _in_order(self, plan: Plan, answers: Answers, checkpoints: Checkpoints) -> int | None:
        """Do one part after another; return the part to go on with, None when there is none."""
        done = checkpoints.done()
        number = next(one for one in range(1, len(done) + 2) if one not in done)
        if number > 1 and done[number - 1].last:
            return None
        batches = answers.all(sum(done[one].rows for one in range(1, number)), plan.batch_rows)
        began, longest = self.clock(), 0.0
        for part, last in _parts(batches, plan.part_rows):
            self._write(checkpoints, number, part, last=last)
            longest, began = max(longest, self.clock() - began), self.clock()
            number += 1
            if not last and self.seconds_left() < SPARE_SECONDS + 2 * longest + JOIN_SECONDS * number:
                return number
        return None

    def _write(self, checkpoints: Checkpoints, number: int, batches: list[Answered], *, last: bool) -> None:
        self._refuse_cancelled()
        checkpoints.write(_part_of(number, batches, last=last), self._content(batches))

    def _content(self, batches: list[Answered]) -> bytes:
        lines = b"\n".join([*chain.from_iterable(batch.lines for batch in batches), b""])
        return gzip.compress(lines, mtime=0) if self.job.compressed and self._is_file else lines

    @property
    def _is_file(self) -> bool:
        return self.job.format is not Format.JSON

    def _finish_at_once(self, version: str, batches: list[Answered], about: Mapping[str, Any]) -> dict[str, Any]:
        return self._finish(version, [_part_of(1, batches, last=True)], iter([self._content(batches)]), about)

    def _finish(
        self, version: str, parts: list[Checkpoint], contents: Iterator[bytes], about: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Write the result, unless it is written, and return facts about it for the log.

        Each part's content ends with a line end. Raise `Problem` 413 for too many rows.
        """
        rows, refused = sum(part.rows for part in parts), sum(part.refused for part in parts)
        if not rows:
            raise Problem(400, "the file has no rows")
        if rows > MOST_ROWS:
            raise Problem(413, f"the job has more than {MOST_ROWS} rows")
        facts = {"version": version, "rows": rows, "refused": refused}
        if self._is_file:
            self.objects.put_stream(self.job.predictions, contents)
            document = canonical({**self._about, **facts, **about, "result_key": self.job.predictions})
        else:
            document = b"".join(self._request_result(version, contents))
        return {**facts, "written": self.objects.create(self.job.result, document)}

    @property
    def _about(self) -> dict[str, str]:
        return {"job": self.job.name, "model": self.job.model}

    def _request_result(self, version: str, contents: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the canonical JSON of the result with all predictions."""
        yield canonical(self._about)[:-1] + b',"predictions":['
        for index, content in enumerate(contents):
            lines = content.removesuffix(b"\n").replace(b"\n", b",")
            yield (b"," if index and lines else b"") + lines
        yield b'],"version":' + canonical(version) + b"}"


def _beginning(answers: Answers) -> list[Answered]:
    """Return the answers to more than a few rows, or to all there are."""
    first: list[Answered] = []
    for batch in answers.all(0, FEW_ROWS):
        first.append(batch)
        if sum(len(one.lines) for one in first) > FEW_ROWS:
            break
    return first


def _part_of(number: int, batches: list[Answered], *, last: bool) -> Checkpoint:
    rows, refused = sum(len(batch.lines) for batch in batches), sum(batch.refused for batch in batches)
    return Checkpoint(number=number, rows=rows, refused=refused, last=last)


def _parts(batches: Iterator[Answered], part_rows: int) -> Iterator[tuple[list[Answered], bool]]:
    """Yield the batches of each part of so many rows, and whether it is the last, which may have none.

    No batch goes beyond a part.
    """
    part: list[Answered] = []
    rows = 0
    for batch in batches:
        part.append(batch)
        rows += len(batch.lines)
        if rows >= part_rows:
            yield part, False
            part, rows = [], 0
    yield part, True
