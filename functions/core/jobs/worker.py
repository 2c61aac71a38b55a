"""Do jobs, one attempt a message: each job gets one result, however often its message is delivered."""

from __future__ import annotations

import json
import math
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from functions.core.http.problem import Problem
from functions.core.jobs.attempt import JobAttempt
from functions.core.jobs.job import Job, dead_letter_reason, model_of
from functions.core.onnx.session import ModelFailure
from functions.core.runtime.consumer import ONCE, Delivery
from functions.core.storage.objects import TooLarge, canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.jobs.webhook import Webhook
    from functions.core.runtime.log import Log
    from functions.core.serving.model_cache import ModelCache
    from functions.core.storage.objects import Objects

_LARGEST_READ = 1_000_000
"""Bytes of a result that is read to tell how its job ended."""
_ENDS = {"error": "failed", "cancelled": "cancelled"}
"""The states of jobs by a member that their results have."""


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
        webhook: Webhook | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`webhook` is told how each job ends."""
        self._objects = objects
        self._model_caches = model_caches
        self._log = log
        self._attempts = attempts
        self._webhook = webhook
        self._clock = clock

    def work(self, key: str, delivery: Delivery = ONCE) -> None:
        """Do the job at `key`, or as much of it as there is time for, and announce the rest like a new job.

        The result is written once, however often the message is delivered. A job that is itself
        at fault gets an error as its result. Everything else is raised, to be retried: no version
        that works, a store that does not answer, a model that fails. Raises `NotAJob` for a key
        that no result could be written for. The marker object of a folder is ignored.
        """
        if key.endswith("/"):
            return
        try:
            job = Job.at(key, self._model_caches)
            if not self._objects.exists(job.result):
                if delivery.number >= self._attempts:
                    # If this worker is killed, at least this reason is there.
                    self._note(key, delivery, "the worker was killed before it was done", until=delivery.seconds_left())
                if not self._do(job, delivery):
                    return
            self._tell(job)
        except Exception as problem:
            if delivery.number >= self._attempts:
                self._note(key, delivery, f"{type(problem).__name__}: {problem}", public_reason=_public_reason(problem))
                self._tell_of_a_failure(key)
            raise

    def _do(self, job: Job, delivery: Delivery) -> bool:
        """Do a job, or as much of it as there is time for, and return whether it has ended."""
        attempt = JobAttempt(objects=self._objects, job=job, seconds_left=delivery.seconds_left)
        try:
            facts = attempt.run(self._model_caches[job.model])
        except Problem as problem:
            if problem.status >= 500:
                raise
            result = {"job": job.name, "model": job.model, "error": problem.document()}
            facts = {"error": problem.status, "written": self._objects.create(job.result, canonical(result))}
        if facts is None:
            self._log.info("job goes on", model=job.model, job=job.name)
        else:
            self._log.info("job", model=job.model, job=job.name, failed="error" in facts, **facts)
        return facts is not None

    def _tell(self, job: Job) -> None:
        """Tell the webhook how a job ended, unless it was told before. Raises `OSError`: the message comes again."""
        if self._webhook is None or self._objects.exists(job.told):
            return
        try:
            result = json.loads(self._objects.get(job.result, at_most=_LARGEST_READ))
        except TooLarge:
            result = {}  # an answer to a request, with all of its predictions
        status = next((word for name, word in _ENDS.items() if name in result), "done")
        self._send(job, status, {name: result[name] for name in ("version", "rows", "refused") if name in result})
        self._objects.put_json(job.told, {"job": job.name, "status": status})

    def _tell_of_a_failure(self, key: str) -> None:
        """Tell the webhook that a job was given up. Never raises: its message becomes a dead letter anyway."""
        try:
            job = Job.at(key, self._model_caches)
            if not self._objects.exists(job.result):
                self._send(job, "failed", {})
        except Exception as problem:
            self._log.warning("webhook not told", problem=problem, key=key)

    def _send(self, job: Job, status: str, facts: Mapping[str, Any]) -> None:
        if self._webhook is not None:
            data = {"id": job.name, "model": job.model, "status": status, **facts}
            self._webhook.tell(f"{job.model}/{job.name}/{status}", f"job.{status}", data)

    def _note(
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
