"""Tell a webhook how each job ended, once the worker that ends it has written its result."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from functions.core.jobs.job import Job
from functions.core.runtime.consumer import ONCE, Delivery
from functions.core.storage.objects import TooLarge

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from functions.core.jobs.webhook import Webhook
    from functions.core.jobs.worker import Worker
    from functions.core.runtime.log import Log
    from functions.core.storage.objects import Objects

_LARGEST_READ = 1_000_000
"""Bytes of a result that is read to tell how its job ended."""
_ENDS = {"error": "failed", "cancelled": "cancelled"}
"""The states of jobs by a member that their results have."""


class Telling:
    """A worker whose jobs somebody waits for: each end is told at least once, by an event of the same identity."""

    def __init__(
        self,
        worker: Worker,
        webhook: Webhook,
        objects: Objects,
        models: Collection[str],
        log: Log,
        *,
        attempts: int,
    ) -> None:
        self._worker = worker
        self._webhook = webhook
        self._objects = objects
        self._models = models
        self._log = log
        self._attempts = attempts

    def work(self, key: str, delivery: Delivery = ONCE) -> str | None:
        """Do the job at `key` as the worker does, and tell how it ended if it has, unless it was told before.

        Returns what the worker returns.
        Raises what the worker raises, and `OSError` where the event is not received: then the message comes again.
        """
        try:
            version = self._worker.work(key, delivery)
        except Exception:
            if delivery.number >= self._attempts:
                self._tell_of_a_failure(key)
            raise
        if key.endswith("/"):
            return version
        try:
            self._tell(Job.at(key, self._models))
        except OSError as problem:
            if delivery.number >= self._attempts:
                reason = f"the job is over, and its event was not received: {problem}"
                self._worker.note(key, delivery, reason, public_reason="its event was not received")
            raise
        return version

    def _tell(self, job: Job) -> None:
        try:
            read = self._objects.read(job.result, at_most=_LARGEST_READ)
        except TooLarge:
            read = (b"{}", None)  # an answer to a request, with all of its predictions
        if read is None or self._objects.exists(job.told):
            return
        result = json.loads(read[0])
        status = next((word for name, word in _ENDS.items() if name in result), "done")
        self._send(job, status, {name: result[name] for name in ("version", "rows", "refused") if name in result})
        self._objects.put_json(job.told, {"job": job.name, "status": status})

    def _tell_of_a_failure(self, key: str) -> None:
        """Tell that a job was given up. Never raises: its message becomes a dead letter anyway."""
        try:
            job = Job.at(key, self._models)
            if not self._objects.exists(job.result):
                self._send(job, "failed", {})
        except Exception as problem:
            self._log.warning("webhook not told", problem=problem, key=key)

    def _send(self, job: Job, status: str, facts: Mapping[str, Any]) -> None:
        data = {"id": job.name, "model": job.model, "status": status, **facts}
        self._webhook.tell(f"{job.model}/{job.name}/{status}", f"job.{status}", data)
