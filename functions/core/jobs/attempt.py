"""One attempt at a job: the work that one delivery of its message does."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.http.problem import Problem
from functions.core.jobs.checkpoints import BEGINNING, Checkpoint, Checkpoints, Plan
from functions.core.jobs.job import Format
from functions.core.jobs.predictions import predict_all, predict_each
from functions.core.jobs.source import JobInput, gone, replaced
from functions.core.storage.objects import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from functions.core.jobs.job import Job
    from functions.core.jobs.row_reader import Row
    from functions.core.serving.model_cache import ModelCache
    from functions.core.serving.servable import Servable
    from functions.core.storage.objects import Objects

BATCH_ROWS = 100
BATCH_BYTES = 250_000
"""A batch goes through the model at once. It ends with the row that reaches this number of rows or bytes."""
CHECKPOINT_SECONDS = 5.0
"""How long the work between two checkpoints should take: so much is lost when a worker dies."""
MOST_BATCHES = 100
MOST_ROWS = 10_000_000
SPARE_SECONDS = 1.0
"""How much time an attempt leaves unused when it stops, beyond the time for another checkpoint."""
JOIN_SECONDS = 0.05
"""The time for each checkpoint when the result is joined from them."""


class Segment(NamedTuple):
    """The rows between two checkpoints, and their predictions."""

    checkpoint: Checkpoint
    """The checkpoint at the end of the segment."""
    predictions: list[bytes]
    """Canonical JSON, one for each row."""
    ended: bool
    """Whether the input has no more rows."""
    batches: int
    """The number of batches between two checkpoints of this job."""


@dataclass(frozen=True, kw_only=True)
class JobAttempt:
    """One attempt at one job, and the time that is left for it."""

    objects: Objects
    job: Job
    seconds_left: Callable[[], float]
    clock: Callable[[], float] = time.perf_counter

    def run(self, model_cache: ModelCache) -> dict[str, Any] | None:
        """Work until the result is written, and return facts about it for the log; None when it is not done yet.

        Raises `Problem`: with a status below 500 the job itself is at fault and must not be
        retried. After any other exception it must be retried.
        """
        size_and_state = self.objects.look(self.job.input)
        if size_and_state is None:
            raise gone()
        size, state = size_and_state
        job_input = JobInput(self.objects, self.job, size=size, state=state)
        checkpoints = Checkpoints(self.objects, self.job)
        plan = checkpoints.plan()
        if plan is None:
            return self._work(model_cache, model_cache.current().champion, job_input, checkpoints, None, [])
        if plan.state != str(job_input.state):
            raise replaced()
        servable = model_cache.pinned(plan.version)
        return self._work(model_cache, servable, job_input, checkpoints, plan, checkpoints.done())

    def _work(
        self,
        model_cache: ModelCache,
        servable: Servable,
        job_input: JobInput,
        checkpoints: Checkpoints,
        plan: Plan | None,
        done: list[Checkpoint],
    ) -> dict[str, Any] | None:
        """Go on after the checkpoints that are done. A job that ends before its first one writes only its result."""
        done_before, longest_seconds = len(done), 0.0
        last = done[-1] if done else BEGINNING
        batches = _batches(job_input.rows(servable, last.end), last.end)
        while True:
            if len(done) > done_before and self.seconds_left() < SPARE_SECONDS + 2 * longest_seconds:
                return self._stop(len(done))
            began = self.clock()
            segment = self._segment(servable, batches, last, plan.batches if plan else None)
            if plan is None:
                if segment.ended:
                    return self._finish_at_once(servable.version, segment)
                own_plan = Plan(
                    version=servable.version, state=str(job_input.state), bytes=job_input.size, batches=segment.batches
                )
                plan = checkpoints.begin(own_plan)
                if plan != own_plan:  # another attempt wrote its plan first: follow that one
                    return self.run(model_cache)
            if segment.predictions:
                checkpoints.write(segment.checkpoint, segment.predictions)
                last = segment.checkpoint
                done.append(last)
            longest_seconds = max(longest_seconds, self.clock() - began)
            if segment.ended:
                if len(done) > done_before and self.seconds_left() < SPARE_SECONDS + JOIN_SECONDS * len(done):
                    return self._stop(len(done))
                return self._finish(plan.version, last, checkpoints.contents(done))

    def _stop(self, checkpoints: int) -> None:
        """Write a continuation: the store announces it, and the worker that gets the message goes on with the job."""
        self.objects.create(self.job.continuation(checkpoints), b"")

    def _segment(
        self, servable: Servable, batches: Iterator[list[Row]], last: Checkpoint, limit: int | None
    ) -> Segment:
        """Predict the rows up to the next checkpoint, or to the end of the input.

        `limit` is the number of batches. When it is None, the time for the first batch decides on it.
        """
        began, count = self.clock(), 0
        predictions: list[bytes] = []
        rows, refused, end = last.rows, last.refused, last.end

        def checkpoint() -> Checkpoint:
            return Checkpoint(number=last.number + 1, rows=rows, refused=refused, end=end)

        for batch in batches:
            if rows + len(batch) > MOST_ROWS:
                raise Problem(413, f"the job has more than {MOST_ROWS} rows")
            batch_predictions = (
                predict_all(servable, batch, rows) if self.job.format is Format.JSON else predict_each(servable, batch)
            )
            predictions += map(canonical, batch_predictions)
            rows, end, count = rows + len(batch), batch[-1].end, count + 1
            refused += sum("error" in prediction for prediction in batch_predictions)
            limit = limit or self._limit(self.clock() - began)
            if count == limit:
                return Segment(checkpoint(), predictions, ended=False, batches=limit)
        return Segment(checkpoint(), predictions, ended=True, batches=limit or MOST_BATCHES)

    def _limit(self, seconds: float) -> int:
        """Return how many batches to do between two checkpoints, if one takes `seconds`."""
        affordable = min(CHECKPOINT_SECONDS, self.seconds_left() / 8)
        return max(1, min(MOST_BATCHES, int(affordable / max(seconds, 1e-6))))

    def _finish_at_once(self, version: str, segment: Segment) -> dict[str, Any]:
        predictions = b"\n".join(segment.predictions)
        if self.job.format is not Format.JSON:
            return self._finish(version, segment.checkpoint, iter([predictions]))
        written = self.objects.create(self.job.result, b"".join(self._request_result(version, iter([predictions]))))
        return {"version": version, "rows": segment.checkpoint.rows, "refused": 0, "written": written}

    def _finish(self, version: str, last: Checkpoint, contents: Iterator[bytes]) -> dict[str, Any]:
        if not last.rows:
            raise Problem(400, "there are no rows")
        facts = {"version": version, "rows": last.rows, "refused": last.refused}
        if self.job.format is Format.JSON:
            self.objects.put_stream(self.job.result, self._request_result(version, contents))
            return {**facts, "written": True}
        self.objects.put_stream(self.job.predictions, (content + b"\n" for content in contents))
        document = canonical({**self._about, **facts, "result_key": self.job.predictions})
        return {**facts, "written": self.objects.create(self.job.result, document)}

    @property
    def _about(self) -> dict[str, str]:
        return {"job": self.job.name, "model": self.job.model}

    def _request_result(self, version: str, contents: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the canonical JSON of the result with all predictions, which is never in memory as a whole."""
        yield canonical(self._about)[:-1] + b',"predictions":['
        for index, content in enumerate(contents):
            yield (b"," if index else b"") + content.replace(b"\n", b",")
        yield b'],"version":' + canonical(version) + b"}"


def _batches(rows: Iterator[Row], start: int) -> Iterator[list[Row]]:
    """Group rows into batches. `start` is where the first row begins: see `Row.end`."""
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH_ROWS or row.end - start >= BATCH_BYTES:
            yield batch
            batch, start = [], row.end
    if batch:
        yield batch
