"""A job of the stack by which a version that is not live answers many rows; nothing of it is left behind."""

from __future__ import annotations

import json
import os
from time import monotonic, sleep, time
from typing import TYPE_CHECKING, Any

from functions.core.http.messages import Request
from functions.core.jobs.api import ENDED, MADE, JobsApi
from functions.core.jobs.job import Job, dead_letter_reason
from functions.core.jobs.tickets import Ticket, Tickets
from interface import layout
from sml.api import words_of
from sml.mistake import Mistake, TooLate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from functions.core.storage.objects import Objects

LOOK_SECONDS = 0.5
END_SECONDS = 30.0
"""How long a worker is given to leave a job that is cancelled: it looks at the end of each part, of a few seconds."""


class CandidateJob:
    """A table in the jobs store, with a ticket that names the version. It belongs to nobody, and is in no list."""

    def __init__(self, jobs: Objects, model: str, version: str, *, say: Callable[[str], None]) -> None:
        self._jobs = jobs
        self._version = version
        self._say = say
        self._job = Job(model=model, name=f"{MADE}{os.urandom(16).hex()}.csv")

    @property
    def name(self) -> str:
        return self._job.name

    def answers(self, table: bytes, rows: int, seconds: float) -> list[dict[str, Any]]:
        """Return the answer to each row of a table, or `{"error": ...}` for it.

        Whatever happens meanwhile, Ctrl-C too, the job is ended and its objects are removed. Raise `Mistake` where
        it fails, and `TooLate` where it takes longer than so many seconds.
        """
        is_over = False
        try:
            ticket = Ticket(job=self.name, at=round(time(), 3), version=self._version)
            Tickets(self._jobs, self._job.model).issue(ticket, None)
            self._jobs.put(self._job.input, table)
            status = self._await(rows, seconds)
            is_over = True
            return self._read(status, rows)
        finally:
            self._end(is_over=is_over)

    def _await(self, rows: int, seconds: float) -> dict[str, Any]:
        until, told = monotonic() + seconds, ""
        while (status := self._status())["status"] not in ENDED:
            if monotonic() > until:
                raise TooLate(
                    f"the job was {status['status']} after {seconds:.0f} s, and is cancelled; --timeout gives it longer"
                )
            progress = f"  {'job':<12} {status['status']}, {status.get('rows') or 0:,} of {rows:,} rows"
            if progress != told:
                self._say(told := progress)
            sleep(LOOK_SECONDS)
        return status

    def _status(self) -> dict[str, Any]:
        nobody = Request(method="GET", path="/", caller="", request_id="")
        return JobsApi(self._jobs).status(self._job.model, self.name, nobody)

    def _read(self, status: dict[str, Any], rows: int) -> list[dict[str, Any]]:
        if status["status"] != "done":
            error = status.get("error")
            why = (words_of(error) or error) if isinstance(error, dict) else status["status"]
            raise Mistake(f"the job that was to answer the rows failed: {why}")
        lines = [json.loads(line) for line in self._jobs.get(self._job.predictions).splitlines()]
        if len(lines) != rows:
            raise Mistake(f"the job answered {len(lines):,} rows of {rows:,}: its answers cannot be told apart")
        return lines

    def _end(self, *, is_over: bool) -> None:
        """Remove what the job was made of. One that is under way is cancelled first, and waited for.

        What it used stays beside its checkpoints: it is part of what the stack costs. So does the mark of a
        cancelled one, for a worker that comes late. Both expire.
        """
        if not is_over and self._jobs.exists(self._job.input):
            self._jobs.create_json(self._job.cancelled, {"job": self.name, "at": round(time(), 3)})
            self._say("  job          is being cancelled")
            until = monotonic() + END_SECONDS
            while not self._jobs.exists(self._job.result) and monotonic() < until:
                sleep(LOOK_SECONDS)
        self._jobs.remove(list(self._objects()))

    def _objects(self) -> Iterator[str]:
        yield from (self._job.input, self._job.result, self._job.predictions, self._job.ticket)
        yield dead_letter_reason(self._job.input)
        usage = f"{self._job.checkpoints}/{layout.USAGE}"
        yield from (key for key in self._jobs.keys(self._job.checkpoints) if not key.startswith(usage))
