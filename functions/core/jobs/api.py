"""The jobs API: submit jobs, and report their status."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

from functions.core.http.json_codec import EXAMPLE, as_object, instances_of, read_json
from functions.core.http.problem import Problem
from functions.core.jobs.checkpoints import Checkpoints
from functions.core.jobs.job import NAME, Format, Job, dead_letter_reason
from functions.core.runtime.digest import sha256
from functions.core.storage.objects import TooLarge, canonical
from interface.operations import REQUEST_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.storage.objects import Objects

LARGEST_INLINE = 1_000_000
"""Bytes of the largest result that the API includes in a status; a larger one is linked to."""
SECONDS = 900
"""How long a signed URL is valid."""
Status = dict[str, Any]


class JobsApi:
    """The jobs of the jobs store, as callers of the API see them."""

    def __init__(self, objects: Objects, *, clock: Callable[[], float] = time.time) -> None:
        self._objects = objects
        self._clock = clock

    @property
    def uploads(self) -> bool:
        """Whether callers get signed URLs to upload to. Without them, files are put into the store directly."""
        return self._objects.signs

    def submit(self, model: str, body: bytes, headers: Mapping[str, str], caller: str) -> Status:
        """Queue a job, or return a URL to upload one, and return its status.

        `{"instances": [...]}` is queued; `{"upload": "jsonl"}` is answered with a signed URL.
        Requests of one caller with the same Idempotency-Key are the same job. The rows are
        checked against the model only when the job runs. Raises `Problem`: 400 for a body that
        is neither, or an upload where the store signs no URLs; 413 for a body that is too large;
        422 when the key was used for another request.
        """
        if len(body) > REQUEST_BYTES:
            uploads = ", ".join(f'{{"upload": "{kind}"}}' for kind in Format)
            raise Problem(413, f"the body has more than {REQUEST_BYTES} bytes; ask for an upload: {uploads}")
        request = as_object(read_json(body, headers), f'{EXAMPLE} or {{"upload": "jsonl"}}')
        stem = _stem(model, caller, headers.get("idempotency-key"))
        if "upload" in request:
            return self._upload(model, stem, request)
        instances = instances_of(request)
        if not isinstance(instances, list) or not instances:
            raise Problem(400, "instances is not a list of one row or more")
        job = Job(model=model, name=stem)
        if self._objects.exists(job.ticket) or (
            not self._objects.create(job.input, body) and self._objects.find(job.input) != body
        ):
            raise _used()
        return self._about(job, "queued")

    def _upload(self, model: str, stem: str, request: dict[str, Any]) -> Status:
        kinds = [str(kind) for kind in Format]
        if list(request) != ["upload"] or request["upload"] not in kinds:
            raise Problem(400, f'the body is not {{"upload": "{" | ".join(kinds)}"}}')
        job = Job(model=model, name=f"{stem}.{request['upload']}")
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
        """Return the status of a job; see `docs/jobs.md`. Raises `Problem` 404."""
        if not NAME.fullmatch(name):
            raise _unknown()
        job = Job(model=model, name=name)
        ended = self._ended(job)
        if ended is not None:
            return ended
        dead_letter = self._objects.find_json(dead_letter_reason(job.input))
        if dead_letter is not None and (dead_letter["until"] or 0.0) <= self._clock():
            attempts, reason = dead_letter["deliveries"], dead_letter["told"]
            detail = f"given up after {attempts} attempts: {reason}; kept for whoever runs this stack"
            return {**self._about(job, "failed"), "error": Problem(500, detail).document()}
        if not self._objects.exists(job.input):
            ticket = self._objects.find_json(job.ticket)
            if ticket != {"job": name}:
                raise _unknown()
            return self._about(job, "waiting")
        return self._progress(job)

    def _progress(self, job: Job) -> Status:
        progress = Checkpoints(self._objects, job).progress()
        if progress is None:
            return self._about(job, "queued")
        known = {"version": progress.version, "rows": progress.rows, "progress": progress.share}
        return {**self._about(job, "running"), **known}

    def _ended(self, job: Job) -> Status | None:
        try:
            content_and_tag = self._objects.read(job.result, at_most=LARGEST_INLINE)
        except TooLarge:
            return {**self._about(job, "done"), **self._elsewhere(job.result)}
        if content_and_tag is None:
            return None
        result = json.loads(content_and_tag[0])
        if "error" in result:
            return {**self._about(job, "failed"), "error": result["error"]}
        if "result_key" not in result:
            return {**self._about(job, "done"), "result": result}
        facts = {name: result[name] for name in ("version", "rows", "refused")}
        try:
            lines = self._objects.get(result["result_key"], at_most=LARGEST_INLINE).splitlines()
        except TooLarge:
            return {**self._about(job, "done"), **facts, **self._elsewhere(result["result_key"])}
        predictions = [json.loads(line) for line in lines]
        return {**self._about(job, "done"), **facts, "result": {**result, "predictions": predictions}}

    def _elsewhere(self, key: str) -> Status:
        url = self._objects.sign("GET", key, SECONDS)
        link: Status = {"result": None, "result_key": key}
        return link if url is None else {**link, "result_url": url, "expires_in": SECONDS}

    def _about(self, job: Job, status: str) -> Status:
        return {"id": job.name, "model": job.model, "status": status}


def _stem(model: str, caller: str, idempotency_key: str | None) -> str:
    """Return a job's name without the ending that tells its format."""
    if idempotency_key is None:
        return os.urandom(16).hex()
    if not 0 < len(idempotency_key) <= 255:
        raise Problem(400, "the Idempotency-Key does not have 1 to 255 characters")
    return sha256(f"{model}\n{caller}\n{idempotency_key}".encode()).hex()[:32]


def _used() -> Problem:
    return Problem(422, "this Idempotency-Key was used for another request")


def _unknown() -> Problem:
    return Problem(404, "there is no such job")
