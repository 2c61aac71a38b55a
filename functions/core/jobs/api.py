"""The jobs API: submit jobs, report their status, list and cancel them."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from functions.core.http.json_codec import EXAMPLE, as_object, dump_json, instances_of, parse_json
from functions.core.http.messages import content_of, unreplaced
from functions.core.http.problem import Problem
from functions.core.jobs import tickets
from functions.core.jobs.checkpoints import Checkpoints
from functions.core.jobs.job import NAME, UPLOADS, Job, dead_letter_reason
from functions.core.jobs.job_usage import JobUsage
from functions.core.jobs.tickets import Ticket, Tickets
from functions.core.runtime import spans
from functions.core.storage.objects import TooLarge
from interface.operations import NO_UPLOADS, REQUEST_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.core.http.messages import Request
    from functions.core.storage.objects import Objects

LARGEST_INLINE = 1_000_000
"""Bytes of the largest result that the API includes in a status; a larger one is linked to."""
LARGEST_KEY = 255
"""Characters of an Idempotency-Key."""
LISTED, MOST_LISTED = 20, 100
"""Jobs of one page of a list, and the most that a caller may ask for."""
SECONDS = 900
"""How long a signed URL is valid."""
MADE = "job-"
"""How the names begin that the API makes: nobody can guess the 128 random bits that follow."""
ENDED = frozenset({"done", "failed", "cancelled"})
"""The states that no job leaves."""
_SMALL = 100_000
"""Bytes of a result that a list reads. Why a job failed takes fewer."""
_ACCEPTED = f'{EXAMPLE} or {{"upload": "csv"}}, and "version" with either'
Status = dict[str, Any]


class JobsApi:
    """The jobs of the jobs store, as callers of the API see them.

    A job belongs to who submitted it, where the API checks who that is: for anybody else it is not there. One that
    was put into the store as a file belongs to nobody, and whoever knows its name sees it.
    """

    def __init__(self, objects: Objects, *, clock: Callable[[], float] = time.time) -> None:
        self._objects = objects
        self._clock = clock

    @property
    def uploads(self) -> bool:
        """Whether callers get signed URLs to upload to. Without them, files are put into the store directly."""
        return self._objects.signs

    def submit(self, model: str, request: Request, knows: Callable[[str], bool]) -> Status:
        """Queue a job, or return a URL to upload one, and return its status.

        `{"instances": [...]}` is queued; `{"upload": "jsonl"}` is answered with a signed URL; `knows` says whether
        there is a version that is asked for. Requests of one caller with the same Idempotency-Key are the same job.
        The rows are checked against the model only when the job runs. Raises `Problem`: 400 for a body that is
        neither, or an upload where the store signs no URLs; 404 for an unknown version; 413 for a body that is too
        large; 422 when the key was used for another request.
        """
        if len(request.body) > REQUEST_BYTES:
            uploads = ", ".join(f'{{"upload": "{kind}"}}' for kind in UPLOADS)
            raise Problem(413, f"the body has more than {REQUEST_BYTES} bytes; ask for an upload: {uploads}")
        body = unreplaced(content_of(request.body, request.headers))
        asked = dict(as_object(parse_json(body), _ACCEPTED))
        version = asked.pop("version", None)
        if version is not None and not (isinstance(version, str) and knows(version)):
            raise Problem(404, f"{model} has no such version")
        if "upload" in asked:
            return self._upload(model, request, asked, version)
        instances = instances_of(asked)
        if not isinstance(instances, list) or not instances:
            raise Problem(400, "instances is not a list of one row or more")
        rows = body if version is None else dump_json(asked)
        job = self._issue(model, request, "", version)
        if not self._objects.create(job.input, rows) and self._objects.find(job.input) != rows:
            raise _used()
        return self._about(job, "queued")

    def _upload(self, model: str, request: Request, asked: dict[str, Any], version: str | None) -> Status:
        if list(asked) != ["upload"] or asked["upload"] not in UPLOADS:
            raise Problem(400, f'the body is not {{"upload": "{" | ".join(UPLOADS)}"}}')
        if not self.uploads:
            detail = f"uploads are not offered here; put the file into the jobs store, below {model}/in/"
            raise Problem(400, detail, kind=NO_UPLOADS)
        job = self._issue(model, request, f".{asked['upload']}", version)
        if self._objects.exists(job.input):  # the request is one that was sent before
            return self.status(model, job.name, request)
        url = self._objects.sign("PUT", job.input, SECONDS)
        upload = {"method": "PUT", "url": url, "expires_in": SECONDS, "at_most_bytes": job.format.largest}
        return {**self._about(job, "waiting"), "upload": upload}

    def _issue(self, model: str, request: Request, ending: str, version: str | None) -> Job:
        """Return the job of a request: a new one, or that of the same Idempotency-Key. Raises `Problem` 400 or 422."""
        key, owner = request.headers.get("idempotency-key"), owner_of(request)
        if key is not None and not 0 < len(key) <= LARGEST_KEY:
            raise Problem(400, f"the Idempotency-Key does not have 1 to {LARGEST_KEY} characters")
        name = f"{MADE}{os.urandom(16).hex()}{ending}"
        span = spans.current()
        trace = None if span is None else span.carrier()
        asked = Ticket(job=name, at=round(self._clock(), 3), owner=owner, version=version, trace=trace)
        sent = None if key is None else f"{model}\n{owner or request.caller}\n{key}"
        ticket = Tickets(self._objects, model).issue(asked, sent)
        if ticket.job.partition(".")[2] != ending[1:] or ticket.version != version:
            raise _used()
        return Job(model=model, name=ticket.job)

    def status(self, model: str, name: str, request: Request) -> Status:
        """Return the status of a job; see `docs/jobs.md`. Raises `Problem` 404, also for a job of somebody else."""
        job, ticket = self._found(model, name, request)
        if self._objects.exists(job.cancelled):
            return self._about(job, "cancelled")
        ended = self._ended(job)
        if ended is None:
            ended = self._given_up(job)
        if ended is not None:
            return {**ended, **JobUsage(self._objects, (model,)).document(job)}
        if not self._objects.exists(job.input):
            if ticket is None:
                raise _unknown()
            return self._about(job, "waiting")
        return self._progress(job)

    def cancel(self, model: str, name: str, request: Request) -> Status:
        """Have workers end a job, and return its status. One that has ended stays as it is. Raises `Problem` 404."""
        before = self.status(model, name, request)
        if before["status"] in ENDED:
            return before
        job = Job(model=model, name=name)
        self._objects.create_json(job.cancelled, {"job": name, "at": round(self._clock(), 3)})
        return self._about(job, "cancelled")

    def listed(self, model: str, request: Request) -> Status:
        """Return a page of the caller's jobs, the newest first. Raises `Problem` 400 or 403."""
        owner = owner_of(request)
        if owner is None:
            raise Problem(
                403, "this API does not check who its callers are; accepted: a list by the header X-Caller-Id"
            )
        limit, after = _page(request.query)
        places = Tickets(self._objects, model).of_owner(owner, after)
        page: list[Status] = []
        last = ""
        for place, job in places:
            if len(page) == limit:
                return {"jobs": page, "next": last}
            page.append(self._entry(job, place))
            last = place
        return {"jobs": page}

    def _entry(self, job: Job, place: str) -> Status:
        created = datetime.fromtimestamp(tickets.time_of(place), UTC).isoformat(timespec="milliseconds")
        return {**self._about(job, self._state(job)), "created": created}

    def _state(self, job: Job) -> str:
        """Return the state of a job, without reading what it answered."""
        if self._objects.exists(job.cancelled):
            return "cancelled"
        try:
            result = self._objects.read(job.result, at_most=_SMALL)
        except TooLarge:
            return "done"
        if result is not None:
            return "failed" if "error" in json.loads(result[0]) else "done"
        if self._given_up(job) is not None:
            return "failed"
        if not self._objects.exists(job.input):
            return "waiting"
        return "running" if self._objects.exists(job.plan) else "queued"

    def _found(self, model: str, name: str, request: Request) -> tuple[Job, Ticket | None]:
        if not NAME.fullmatch(name):
            raise _unknown()
        job = Job(model=model, name=name)
        ticket = Tickets(self._objects, model).find(job)
        if name.startswith(MADE) if ticket is None else not ticket.is_shown_to(owner_of(request)):
            raise _unknown()
        return job, ticket

    def _given_up(self, job: Job) -> Status | None:
        dead_letter = self._objects.find_json(dead_letter_reason(job.input))
        if dead_letter is None or (dead_letter["until"] or 0.0) > self._clock():
            return None
        attempts, reason = dead_letter["deliveries"], dead_letter["told"]
        detail = f"given up after {attempts} attempts: {reason}; kept for whoever runs this stack"
        return {**self._about(job, "failed"), "error": Problem(500, detail).document()}

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
            if job.compressed:
                raise TooLarge  # a small result may expand to a large one
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


def owner_of(request: Request) -> str | None:
    """Return the owner of what a caller submits: who the API checked that it is, else who it says it is, else None."""
    if request.principal:
        return tickets.owner(tickets.PRINCIPAL, request.principal)
    if claimed := request.headers.get("x-caller-id", "").strip():
        return tickets.owner(tickets.CLAIMED, claimed)
    return None


def _page(query: str) -> tuple[int, str]:
    """Return how many jobs a list is asked for, and after which place. Raises `Problem` 400."""
    from urllib.parse import parse_qsl  # noqa: PLC0415 - lists alone have a query

    limit, after = str(LISTED), ""
    for name, value in parse_qsl(query, keep_blank_values=True, max_num_fields=10):
        match name:
            case "limit":
                limit = value
            case "after" if tickets.PLACE.fullmatch(value):
                after = value
            case _:
                raise Problem(400, "the query is not ?limit=...&after=..., where after is the next of another page")
    number = int(limit) if limit.isascii() and limit.isdecimal() and len(limit) < 4 else 0
    if not 0 < number <= MOST_LISTED:
        raise Problem(400, f"limit is not a number from 1 to {MOST_LISTED}")
    return number, after


def _used() -> Problem:
    return Problem(422, "this Idempotency-Key was used for another request")


def _unknown() -> Problem:
    return Problem(404, "there is no such job")
