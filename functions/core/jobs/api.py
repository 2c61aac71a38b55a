"""Takes jobs in, and tells how they stand."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

from functions.core.http.json_codec import EXAMPLE, as_object, instances_of, read_json
from functions.core.http.messages import LARGEST
from functions.core.http.problem import Problem
from functions.core.jobs.checkpoints import Checkpoints
from functions.core.jobs.job import NAME, Format, Job, dead
from functions.core.runtime.digest import sha256
from functions.core.storage.objects import TooLarge, canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.storage.objects import Objects

LARGEST_INLINE = 1_000_000
"""Bytes of a result that the API hands out itself."""
SECONDS = 900
"""How long a URL that was handed out is good for."""
Status = dict[str, Any]


class JobsApi:
    """The jobs store, as callers of the API see it."""

    def __init__(self, objects: Objects, *, clock: Callable[[], float] = time.time) -> None:
        self._objects = objects
        self._clock = clock

    @property
    def uploads(self) -> bool:
        """Are there URLs to upload to? Where nothing is signed, files are put into the store."""
        return self._objects.signs

    def submit(self, model: str, body: bytes, headers: Mapping[str, str], caller: str) -> Status:
        """Take a job, or give the right to upload one, and say how it stands.

        `{"instances": [...]}` is queued as it is; `{"upload": "jsonl"}` is answered with a URL.
        The same Idempotency-Key of the same caller is the same job. Whether the rows fit the
        model is found out when the job is done. Raises `Problem`: 400 and 413 for a body that
        is no such request or where nothing is signed, 422 when the key was used for another one.
        """
        if len(body) > LARGEST:
            uploads = ", ".join(f'{{"upload": "{kind}"}}' for kind in Format)
            raise Problem(413, f"the body has more than {LARGEST} bytes; ask for an upload: {uploads}")
        asked = as_object(read_json(body, headers), f'{EXAMPLE} or {{"upload": "jsonl"}}')
        stem = _stem(model, caller, headers.get("idempotency-key"))
        if "upload" in asked:
            return self._ticket(model, stem, asked)
        instances = instances_of(asked)
        if not isinstance(instances, list) or not instances:
            raise Problem(400, "instances is not a list of one row or more")
        job = Job(model=model, name=stem)
        if self._objects.exists(job.ticket) or (
            not self._objects.create(job.input, body) and self._objects.find(job.input) != body
        ):
            raise _used()
        return self._about(job, "queued")

    def _ticket(self, model: str, stem: str, asked: dict[str, Any]) -> Status:
        kinds = [str(kind) for kind in Format]
        if list(asked) != ["upload"] or asked["upload"] not in kinds:
            raise Problem(400, f'the body is not {{"upload": "{" | ".join(kinds)}"}}')
        job = Job(model=model, name=f"{stem}.{asked['upload']}")
        url = self._objects.sign("PUT", job.input, SECONDS)
        if url is None:
            raise Problem(400, f"uploads are not offered here; put the file into the jobs store, below {model}/in/")
        ticket = canonical({"job": job.name})
        created = self._objects.create(job.ticket, ticket)
        if self._objects.exists(Job(model=model, name=stem).input) or (
            not created and self._objects.find(job.ticket) != ticket
        ):
            raise _used()
        upload = {"method": "PUT", "url": url, "expires_in": SECONDS, "at_most_bytes": job.format.largest}
        return {**self._about(job, "waiting"), "upload": upload}

    def status(self, model: str, name: str) -> Status:
        """How a job stands; see `docs/jobs.md`. Raises `Problem` 404."""
        if not NAME.fullmatch(name):
            raise _unknown()
        job = Job(model=model, name=name)
        found = self._done(job)
        if found is not None:
            return found
        if not self._objects.exists(job.input):
            ticket = self._objects.find_json(job.ticket)
            if ticket != {"job": name}:
                raise _unknown()
            return self._about(job, "waiting")
        lost = self._objects.find_json(dead(job.input))
        if lost is not None and (lost["until"] or 0.0) <= self._clock():
            detail = f"given up after {lost['deliveries']} attempts: {lost['told']}; kept for whoever runs this stack"
            return {**self._about(job, "failed"), "error": Problem(500, detail).document()}
        return self._progress(job)

    def _progress(self, job: Job) -> Status:
        parts = Checkpoints(self._objects, job)
        plan = parts.plan()
        if plan is None:
            return self._about(job, "queued")
        done = parts.done()
        rows, end = (done[-1].rows, done[-1].end) if done else (0, 0)
        share = min(1.0, end / plan.bytes) if plan.bytes else 0.0
        return {**self._about(job, "running"), "version": plan.version, "rows": rows, "progress": round(share, 3)}

    def _done(self, job: Job) -> Status | None:
        try:
            found = self._objects.read(job.result, at_most=LARGEST_INLINE)
        except TooLarge:
            return {**self._about(job, "done"), **self._elsewhere(job.result)}
        if found is None:
            return None
        result = json.loads(found[0])
        if "error" in result:
            return {**self._about(job, "failed"), "error": result["error"]}
        if "result_key" not in result:
            return {**self._about(job, "done"), "result": result}
        told = {name: result[name] for name in ("version", "rows", "refused")}
        try:
            lines = self._objects.get(result["result_key"], at_most=LARGEST_INLINE).splitlines()
        except TooLarge:
            return {**self._about(job, "done"), **told, **self._elsewhere(result["result_key"])}
        predictions = [json.loads(line) for line in lines]
        return {**self._about(job, "done"), **told, "result": {**result, "predictions": predictions}}

    def _elsewhere(self, key: str) -> Status:
        url = self._objects.sign("GET", key, SECONDS)
        told: Status = {"result": None, "result_key": key}
        return told if url is None else {**told, "result_url": url, "expires_in": SECONDS}

    def _about(self, job: Job, status: str) -> Status:
        return {"id": job.name, "model": job.model, "status": status}


def _stem(model: str, caller: str, idempotency_key: str | None) -> str:
    """A job's name but for its ending."""
    if idempotency_key is None:
        return os.urandom(16).hex()
    if not 0 < len(idempotency_key) <= 255:
        raise Problem(400, "the Idempotency-Key has not 1 to 255 letters")
    return sha256(f"{model}\n{caller}\n{idempotency_key}".encode()).hex()[:32]


def _used() -> Problem:
    return Problem(422, "this Idempotency-Key was used for another request")


def _unknown() -> Problem:
    return Problem(404, "there is no such job")
