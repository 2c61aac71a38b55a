"""Does jobs: part by part, as often as it takes, and with one result however often it is asked."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from functions.core.http.problem import Problem
from functions.core.jobs.attempt import JobAttempt
from functions.core.jobs.job import Job, dead
from functions.core.onnx.session import ModelFailure
from functions.core.runtime.consumer import ONCE, Delivery
from functions.core.storage.objects import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.runtime.log import Log
    from functions.core.serving.model_cache import ModelCache
    from functions.core.storage.objects import Objects


class Worker:
    """Does jobs, each by the version that was its model's champion when the job began.

    A message that has come `attempts` times does not come again: the queue keeps it as a
    dead letter, and `dead/` in the store the reason.
    """

    def __init__(
        self,
        objects: Objects,
        model_caches: Mapping[str, ModelCache],
        log: Log,
        *,
        attempts: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._objects = objects
        self._model_caches = model_caches
        self._log = log
        self._attempts = attempts
        self._clock = clock

    def work(self, key: str, delivery: Delivery = ONCE) -> None:
        """Do the job at `key`, or as much of it as there is time for: the rest is then announced like a new job.

        The result is written once, however often a job is delivered. A job that is at fault
        gets an error as its result. Anything else raises, to be tried again: no version that
        works, a store that is away, a model that fails. Raises `NotAJob` for a key that no
        result could be written for. A folder's own marker is passed over.
        """
        if key.endswith("/"):
            return
        try:
            job = Job.at(key, self._model_caches)
            if self._objects.exists(job.result):
                return
            if delivery.number >= self._attempts:
                # Whoever is killed on the way leaves at least this.
                self._note(key, delivery, "the worker was ended in the middle of it", until=delivery.seconds_left())
            self._do(job, delivery)
        except Exception as problem:
            if delivery.number >= self._attempts:
                self._note(key, delivery, f"{type(problem).__name__}: {problem}", told=_told(problem))
            raise

    def _do(self, job: Job, delivery: Delivery) -> None:
        task = JobAttempt(objects=self._objects, job=job, seconds_left=delivery.seconds_left)
        try:
            facts = task.run(self._model_caches[job.model])
        except Problem as problem:
            if problem.status >= 500:
                raise
            result = {"job": job.name, "model": job.model, "error": problem.document()}
            facts = {"error": problem.status, "written": self._objects.create(job.result, canonical(result))}
        if facts is None:
            self._log.info("job goes on", model=job.model, job=job.name)
        else:
            self._log.info("job", model=job.model, job=job.name, failed="error" in facts, **facts)

    def _note(
        self, key: str, delivery: Delivery, reason: str, *, told: str = "its worker was ended", until: float = 0.0
    ) -> None:
        """Write down why a message is about to be given up. Never raises: the message goes where it goes."""
        if key.partition("/")[0] not in self._model_caches:
            return
        now = self._clock()
        record: dict[str, Any] = {
            "key": key,
            "reason": reason,
            "told": told,
            "deliveries": delivery.number,
            "at": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
            "until": round(now + until, 3) if math.isfinite(until) else None,
        }
        try:
            self._objects.put_json(dead(key), record)
        except Exception as problem:
            self._log.error("reason not written", problem=problem, key=key, metric="ReasonNotWritten")


def _told(problem: Exception) -> str:
    """As much of a reason as is for everybody."""
    match problem:
        case Problem():
            return problem.text
        case ModelFailure():
            return "the model fails on it"
        case _:
            return "something went wrong in its worker"
