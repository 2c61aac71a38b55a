"""Do jobs, one attempt a message: each job gets one result, however often its message is delivered."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from functions.core.http.problem import Problem
from functions.core.jobs.attempt import JobAttempt
from functions.core.jobs.bounded_reader import BoundedReader
from functions.core.jobs.checkpoints import Checkpoints
from functions.core.jobs.job import Job, dead_letter_reason, model_of, part_of
from functions.core.jobs.tickets import Tickets
from functions.core.onnx.session import ModelFailure
from functions.core.runtime import spans
from functions.core.runtime.consumer import ONCE, Delivery
from functions.core.storage.objects import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from functions.core.dataset.wanted import Reader
    from functions.core.runtime.log import Log
    from functions.core.serving.model_cache import ModelCache
    from functions.core.storage.objects import Objects


class Worker:
    """Do jobs, each with the version that was its model's champion when the job began.

    After `attempts` deliveries the queue keeps a message as a dead letter; the worker writes
    the reason below `dead/` in the store.
    """

    def __init__(
        self,
        objects: Objects,
        model_caches: Mapping[str, ModelCache],
        log: Log,
        *,
        attempts: int,
        parallelism: int = 1,
        reader: Callable[[], AbstractContextManager[Reader]] = BoundedReader,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`parallelism` is how many workers may be at one job, `reader` what reads tables while it is open."""
        self._reader = reader
        self._objects = objects
        self._model_caches = model_caches
        self._log = log
        self._attempts = attempts
        self._parallelism = parallelism
        self._clock = clock

    def work(self, key: str, delivery: Delivery = ONCE) -> str | None:
        """Do the job at `key`, or as much of it as there is time for, and announce the rest like a new job.

        Return the version that answered; None where none did.

        The result is written once, however often the message is delivered. A job that is itself
        at fault gets an error as its result. Everything else is raised, to be retried: no version
        that works, a store that does not answer, a model that fails. Raises `NotAJob` for a key
        that no result could be written for. The marker object of a folder is ignored.
        """
        if key.endswith("/"):
            return None
        try:
            job = Job.at(key, self._model_caches)
            ticket = Tickets(self._objects, job.model).find(job)
            if ticket is not None and (span := spans.current()) is not None:
                span.join(ticket.trace)
            if self._objects.exists(job.result):
                return None
            if delivery.number >= self._attempts:
                # If this worker is killed, at least this reason is there.
                self.note(key, delivery, "the worker was killed before it was done", until=delivery.seconds_left())
            return self._do(job, part_of(key), delivery, None if ticket is None else ticket.version)
        except Exception as problem:
            if delivery.number >= self._attempts:
                self.note(key, delivery, f"{type(problem).__name__}: {problem}", public_reason=_public_reason(problem))
            raise

    def _do(self, job: Job, part: int, delivery: Delivery, version: str | None) -> str | None:
        attempt = JobAttempt(
            objects=self._objects,
            job=job,
            seconds_left=delivery.seconds_left,
            part=part,
            parallelism=self._parallelism,
            reader=self._reader,
            version=version,
        )
        began = self._clock()
        try:
            facts = attempt.run(self._model_caches[job.model])
        except Problem as problem:
            if problem.status >= 500:
                raise
            ended = {"cancelled": True} if self._objects.exists(job.cancelled) else {"error": problem.document()}
            result = {"job": job.name, "model": job.model, **ended}
            facts = {"error": problem.status, "written": self._objects.create(job.result, canonical(result))}
        about = {"model": job.model, "job": job.name, "part": part, "seconds": round(self._clock() - began, 3)}
        if facts is None:
            self._log.info("job goes on", **about)
            plan = Checkpoints(self._objects, job).plan()
            return None if plan is None else plan.version
        self._log.info("job", **about, failed="error" in facts, **facts)
        answered_by = facts.get("version")
        return answered_by if isinstance(answered_by, str) else None

    def note(
        self,
        key: str,
        delivery: Delivery,
        reason: str,
        *,
        public_reason: str = "its worker was killed",
        until: float = 0.0,
    ) -> None:
        """Write why the queue is about to give up on a message. Never raises: it becomes a dead letter anyway."""
        if model_of(key) not in self._model_caches:
            return
        now = self._clock()
        record: dict[str, Any] = {
            "key": key,
            "reason": reason,
            "told": public_reason,
            "deliveries": delivery.number,
            "at": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
            "until": round(now + until, 3) if math.isfinite(until) else None,
        }
        try:
            self._objects.put_json(dead_letter_reason(key), record)
        except Exception as problem:
            self._log.error("reason not written", problem=problem, key=key, metric="ReasonNotWritten")


def _public_reason(problem: Exception) -> str:
    """Return the part of the reason that callers may see."""
    match problem:
        case Problem():
            return problem.text
        case ModelFailure():
            return "the model fails on it"
        case _:
            return "something went wrong in its worker"
