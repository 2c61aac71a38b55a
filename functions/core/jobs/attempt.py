"""What one delivery does of a job."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.http.problem import Problem
from functions.core.jobs.checkpoints import BEGINNING, Checkpoint, Checkpoints, Plan
from functions.core.jobs.job import Format
from functions.core.jobs.predictions import answer_all, answer_each
from functions.core.jobs.source import JobInput, replaced
from functions.core.storage.objects import Missing, canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from functions.core.jobs.job import Job
    from functions.core.jobs.row_reader import Row
    from functions.core.serving.model_cache import ModelCache
    from functions.core.serving.servable import Servable
    from functions.core.storage.objects import Objects

BATCH_ROWS = 100
BATCH_BYTES = 250_000
"""A batch goes through the model at once. It ends with the row that makes it this long, or this many."""
PART_SECONDS = 5.0
"""What a part should take: as much is lost when its worker is."""
MOST_BATCHES = 100
MOST_ROWS = 10_000_000
SPARE_SECONDS = 1.0
"""What is left over when a delivery stops by itself, beside the time for another part."""
JOIN_SECONDS = 0.05
"""For each part, when the result is put together."""


class Piece(NamedTuple):
    part: Checkpoint
    answers: list[bytes]
    ended: bool
    """The input has no more rows."""
    batches: int
    """As many as a part of this job has."""


@dataclass(frozen=True, kw_only=True)
class JobAttempt:
    """One job, and the time that there is for it."""

    objects: Objects
    job: Job
    seconds_left: Callable[[], float]
    clock: Callable[[], float] = time.perf_counter

    def run(self, model_cache: ModelCache) -> dict[str, Any] | None:
        """Work until the result is written, and return what is worth knowing of it. None: the job is to go on later.

        Raises `Problem`: below 500 it is the job's own fault. Anything else is to be tried again.
        """
        found = self.objects.look(self.job.input)
        if found is None:
            raise Missing(self.job.input)
        given = JobInput(self.objects, self.job, size=found[0], state=found[1])
        parts = Checkpoints(self.objects, self.job)
        plan = parts.plan()
        if plan is None:
            return self._work(model_cache, model_cache.current().champion, given, parts, None, [])
        if plan.state != str(given.state):
            raise replaced()
        return self._work(model_cache, model_cache.pinned(plan.version), given, parts, plan, parts.done())

    def _work(
        self,
        model_cache: ModelCache,
        by: Servable,
        given: JobInput,
        parts: Checkpoints,
        plan: Plan | None,
        done: list[Checkpoint],
    ) -> dict[str, Any] | None:
        """Go on behind the parts that are done. Of a job no longer than a part nothing is kept but the result."""
        at_first, longest = len(done), 0.0
        before = done[-1] if done else BEGINNING
        batches = _batches(given.rows(by, before.end), before.end)
        while True:
            if len(done) > at_first and self.seconds_left() < SPARE_SECONDS + 2 * longest:
                return self._stop(len(done))
            began = self.clock()
            piece = self._piece(by, batches, before, plan.batches if plan else None)
            if plan is None:
                if piece.ended:
                    return self._finish_at_once(by.version, piece)
                mine = Plan(version=by.version, state=str(given.state), bytes=given.size, batches=piece.batches)
                plan = parts.begin(mine)
                if plan != mine:  # somebody else was faster, and decided otherwise
                    return self.run(model_cache)
            if piece.answers:
                parts.write(piece.part, piece.answers)
                before = piece.part
                done.append(before)
            longest = max(longest, self.clock() - began)
            if piece.ended:
                if len(done) > at_first and self.seconds_left() < SPARE_SECONDS + JOIN_SECONDS * len(done):
                    return self._stop(len(done))
                return self._finish(plan.version, before, parts.contents(done))

    def _stop(self, parts: int) -> None:
        """Have the job gone on with by whoever gets the message that the store sends of this object."""
        self.objects.create(self.job.again(parts), b"")

    def _piece(self, by: Servable, batches: Iterator[list[Row]], before: Checkpoint, limit: int | None) -> Piece:
        """The next part, or less of it when the rows end. Without a limit the first batch decides on one."""
        began, count = self.clock(), 0
        answers: list[bytes] = []
        rows, refused, end = before.rows, before.refused, before.end

        def part() -> Checkpoint:
            return Checkpoint(number=before.number + 1, rows=rows, refused=refused, end=end)

        for batch in batches:
            if rows + len(batch) > MOST_ROWS:
                raise Problem(413, f"the job has more than {MOST_ROWS} rows")
            found = answer_all(by, batch, rows) if self.job.format is Format.JSON else answer_each(by, batch)
            answers += map(canonical, found)
            rows, end, count = rows + len(batch), batch[-1].end, count + 1
            refused += sum("error" in answer for answer in found)
            limit = limit or self._limit(self.clock() - began)
            if count == limit:
                return Piece(part(), answers, ended=False, batches=limit)
        return Piece(part(), answers, ended=True, batches=limit or MOST_BATCHES)

    def _limit(self, seconds: float) -> int:
        """Batches of a part, if one takes so long."""
        affordable = min(PART_SECONDS, self.seconds_left() / 8)
        return max(1, min(MOST_BATCHES, int(affordable / max(seconds, 1e-6))))

    def _finish_at_once(self, version: str, piece: Piece) -> dict[str, Any]:
        answers = b"\n".join(piece.answers)
        if self.job.format is not Format.JSON:
            return self._finish(version, piece.part, iter([answers]))
        written = self.objects.create(self.job.result, b"".join(self._request_result(version, iter([answers]))))
        return {"version": version, "rows": piece.part.rows, "refused": 0, "written": written}

    def _finish(self, version: str, last: Checkpoint, contents: Iterator[bytes]) -> dict[str, Any]:
        if not last.rows:
            raise Problem(400, "there are no rows")
        facts = {"version": version, "rows": last.rows, "refused": last.refused}
        if self.job.format is Format.JSON:
            self.objects.put_stream(self.job.result, self._request_result(version, contents))
            return {**facts, "written": True}
        self.objects.put_stream(self.job.rows, (content + b"\n" for content in contents))
        document = canonical({**self._about, **facts, "result_key": self.job.rows})
        return {**facts, "written": self.objects.create(self.job.result, document)}

    @property
    def _about(self) -> dict[str, str]:
        return {"job": self.job.name, "model": self.job.model}

    def _request_result(self, version: str, contents: Iterator[bytes]) -> Iterator[bytes]:
        """The canonical JSON of a document with all predictions in it, which is never held whole."""
        yield canonical(self._about)[:-1] + b',"predictions":['
        for place, content in enumerate(contents):
            yield (b"," if place else b"") + content.replace(b"\n", b",")
        yield b'],"version":' + canonical(version) + b"}"


def _batches(rows: Iterator[Row], start: int) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH_ROWS or row.end - start >= BATCH_BYTES:
            yield batch
            batch, start = [], row.end
    if batch:
        yield batch
