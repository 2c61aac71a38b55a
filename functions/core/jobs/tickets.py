"""What the API was asked for, job by job: whose it is, which version answers it, and which request it was."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self

from functions.core.jobs.job import Job
from functions.core.runtime.digest import sha256
from interface import layout
from models.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.storage.objects import Objects

PRINCIPAL, CLAIMED = "principal", "id"
"""How the owner of a job is known: the API checked who it is, or the caller says so."""
PLACE = re.compile(r"[0-9]{13}-[A-Za-z0-9._-]{1,128}")
"""The place of a job in the list of its owner."""
_LATEST = 10**13 - 1
"""Milliseconds since 1970 that no ticket reaches: what is left to them sorts the newest first."""


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """One job as it was submitted, but for its rows. A file that is put into the store has none."""

    job: str
    """The job's name."""
    at: float
    """When it was submitted, in seconds since 1970."""
    owner: str | None = None
    """Whose it is, hashed: see `owner`. None: nobody's."""
    version: str | None = None
    """The version that was asked for; None: the champion of the moment in which it begins."""
    trace: dict[str, str] | None = None
    """The trace of the request that submitted it, as `Span.carrier` has it."""

    @classmethod
    def of(cls, document: Any) -> Self:
        """Return the ticket in a document. Members of a later release are passed over."""
        return cls(**{name: document.get(name) for name in cls.__dataclass_fields__})

    def is_shown_to(self, owner: str | None) -> bool:
        """Return whether somebody may see the job, where the API checks who that is."""
        checked = self.owner is not None and self.owner.startswith(PRINCIPAL)
        return not checked or self.owner == owner


class Tickets:
    """The tickets of one model's jobs, each also found by its owner, and by the Idempotency-Key of its request."""

    def __init__(self, objects: Objects, model: str) -> None:
        self._objects = objects
        self._model = model
        self._folder = layout.below(model, layout.JOB_TICKETS)

    def find(self, job: Job) -> Ticket | None:
        """Return the ticket of a job; None where it has none."""
        document = self._objects.find_json(job.ticket)
        return None if document is None or document.get("job") != job.name else Ticket.of(document)

    def issue(self, ticket: Ticket, request: str | None) -> Ticket:
        """Write a ticket, and return it; the first one that was issued for the same `request`, if there is one."""
        if request is not None:
            key = f"{self._folder}requests/{sha256(request.encode()).hex()}"
            if not self._objects.create_json(key, vars(ticket)):
                ticket = Ticket.of(self._objects.get_json(key))
        self._objects.create_json(Job(model=self._model, name=ticket.job).ticket, vars(ticket))
        if ticket.owner is not None:
            newest_first = _LATEST - round(ticket.at * 1000)
            self._objects.create(f"{self._owned(ticket.owner)}/{newest_first:013}-{ticket.job}", b"")
        return ticket

    def of_owner(self, owner: str, after: str = "") -> Iterator[tuple[str, Job]]:
        """Yield an owner's jobs, the newest first, each with the place from which to go on `after` it."""
        folder = self._owned(owner)
        for key in self._objects.keys(folder, after=f"{folder}/{after}" if after else None):
            place = key.rpartition("/")[2]
            yield place, Job(model=self._model, name=place.partition("-")[2])

    def _owned(self, owner: str) -> str:
        return f"{self._folder}owners/{owner}"


def time_of(place: str) -> float:
    """Return when the job at a place of a list was submitted, in seconds since 1970."""
    return (_LATEST - int(place.partition("-")[0])) / 1000


def owner(kind: str, name: str) -> str:
    """Return the owner that a ticket names: nobody reads a caller's name from it, or from a key."""
    return f"{kind}-{sha256(f'{kind}:{name}'.encode(errors='replace')).hex()[:32]}"
