"""Long work: a job is an object under `<model>/in/`, its result an object under `<model>/out/`."""

from __future__ import annotations

import hashlib
import json
import os
import re
from typing import TYPE_CHECKING, Any

from functions.core.body import parse_json
from functions.core.objects import TooLarge, canonical
from functions.core.plain import instances_of
from functions.core.problem import Problem
from functions.core.rows import MOST_ROWS, check_count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.follower import Follower
    from functions.core.log import Log
    from functions.core.objects import Objects
    from functions.core.servable import Servable

JOB = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
"""What a job may be called."""
LARGEST_JOB = 20_000_000
"""Bytes of a job's input."""
LARGEST_INLINE = 5_000_000
"""Bytes of a result that is handed out by the API itself."""
_MOST_ROWS = 1_000_000


class NotAJob(ValueError):
    """A key under which no job of this stack can lie."""


def input_key(model: str, job: str) -> str:
    return f"{model}/in/{job}"


def output_key(model: str, job: str) -> str:
    return f"{model}/out/{job}.json"


class Desk:
    """Takes jobs in and gives results out."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def submit(self, model: str, body: bytes, caller: str, idempotency_key: str | None) -> str:
        """Queue a request and return the job's id; the same key of the same caller is the same job.

        Whether the rows fit the model is found out when the job is done. Raises `Problem`
        400 for a body that is no request, 422 when the key was used for another one.
        """
        instances = instances_of(parse_json(body))
        if not isinstance(instances, list) or not instances:
            raise Problem(400, "instances is not a list of one row or more")
        if idempotency_key is None:
            job = os.urandom(16).hex()
        elif 0 < len(idempotency_key) <= 255:
            job = hashlib.sha256(f"{model}\n{caller}\n{idempotency_key}".encode()).hexdigest()[:32]
        else:
            raise Problem(400, "the Idempotency-Key has not 1 to 255 letters")
        key = input_key(model, job)
        if not self._objects.create(key, body) and self._objects.find(key) != body:
            raise Problem(422, "this Idempotency-Key was used for another request")
        return job

    def status(self, model: str, job: str) -> dict[str, Any]:
        """`queued`, `done` with the result, or `failed` with the error. Raises `Problem` 404."""
        if not JOB.fullmatch(job):
            raise Problem(404, "there is no such job")
        about = {"id": job, "model": model}
        key = output_key(model, job)
        try:
            found = self._objects.read(key, at_most=LARGEST_INLINE)
        except TooLarge:
            return {**about, "status": "done", "result": None, "result_key": key}
        if found is not None:
            result = json.loads(found[0])
            if "error" in result:
                return {**about, "status": "failed", "error": result["error"]}
            return {**about, "status": "done", "result": result}
        if self._objects.exists(input_key(model, job)):
            return {**about, "status": "queued"}
        raise Problem(404, "there is no such job")


class Worker:
    """Does jobs, by each model's champion."""

    def __init__(self, objects: Objects, followers: Mapping[str, Follower], log: Log) -> None:
        self._objects = objects
        self._followers = followers
        self._log = log

    def work(self, key: str) -> None:
        """Do the job at `key` and write its result once, however often it is delivered.

        A job that is at fault gets an error as its result. Anything else raises, to be
        tried again: no version that works, a store that is away. Raises `NotAJob` for a
        key that no result could be written for. A folder's own marker is passed over.
        """
        if key.endswith("/"):
            return
        model, job = self._names(key)
        if self._objects.exists(output_key(model, job)):
            return
        try:
            result = self._answer(model, key)
        except Problem as problem:
            if problem.status >= 500:
                raise
            result = {"error": problem.document()}
        written = self._objects.create(output_key(model, job), canonical({"job": job, "model": model, **result}))
        self._log.info("job", model=model, job=job, failed="error" in result, written=written)

    def _names(self, key: str) -> tuple[str, str]:
        parts = key.split("/")
        if len(parts) != 3 or parts[1] != "in" or not JOB.fullmatch(parts[2]):
            raise NotAJob("a job's key is <model>/in/<job>, the job of letters, digits, '.', '_' and '-', at most 128")
        if parts[0] not in self._followers:
            raise NotAJob(f"there is no such model; served here: {', '.join(self._followers)}")
        return parts[0], parts[2]

    def _answer(self, model: str, key: str) -> dict[str, Any]:
        champion = self._followers[model].current().champion
        try:
            body = self._objects.get(key, at_most=LARGEST_JOB)
        except TooLarge:
            raise Problem(413, f"the job has more than {LARGEST_JOB} bytes") from None
        instances = instances_of(parse_json(body))
        check_count(instances, _MOST_ROWS)
        return {"version": champion.version, "predictions": _predictions(champion, instances)}


def _predictions(champion: Servable, instances: list[Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for first in range(0, len(instances), MOST_ROWS):
        inputs = champion.encode(instances[first : first + MOST_ROWS])
        found += champion.predictions(champion.answer(inputs))
    return found
