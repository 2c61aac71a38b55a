"""What is done of a job: the plan made at its beginning, and part after part of its answers."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Self

from models.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future

    from functions.core.jobs.job import Job
    from functions.core.storage.objects import Objects

FORMAT = 1
_READERS = 4


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Decided once, by whoever begins the job, and the same for everybody who goes on with it."""

    version: str
    """The version that answers every row, whatever is live meanwhile."""
    state: str
    """The state of the input: another one is another job."""
    bytes: int
    batches: int
    """Batches of one part."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """One part that is done. All figures count from the job's beginning to the part's end."""

    number: int
    """From 1."""
    rows: int = 0
    refused: int = 0
    end: int = 0
    """Where the next part begins: see `Row.end`."""

    def key(self, job: Job) -> str:
        """Everything about a part stands in its key, so that a listing is the whole progress."""
        return f"{job.work}/{self.number:06}-{self.rows:09}-{self.refused:09}-{self.end:010}"

    @classmethod
    def of(cls, key: str) -> Self | None:
        """The part at a key of the work folder; None for anything else that lies there."""
        fields = key.rpartition("/")[2].split("-")
        if len(fields) != 4 or not all(map(str.isdigit, fields)):
            return None
        number, rows, refused, end = map(int, fields)
        return cls(number=number, rows=rows, refused=refused, end=end)


BEGINNING = Checkpoint(number=0)


class Checkpoints:
    """The plan and the parts of one job."""

    def __init__(self, objects: Objects, job: Job) -> None:
        self._objects = objects
        self._job = job

    def plan(self) -> Plan | None:
        """None: nobody has begun, or the whole job was no longer than a part."""
        found = self._objects.find_json(self._job.record)
        if found is None:
            return None
        if found["format"] != FORMAT:
            raise ValueError(f"{self._job.record}: this release reads format {FORMAT}")
        return Plan(**{name: found[name] for name in Plan.__dataclass_fields__})

    def begin(self, plan: Plan) -> Plan:
        """Make it the job's plan; returns the one that holds, which is another's if that one was first."""
        document: dict[str, Any] = {"format": FORMAT, "job": self._job.name, "model": self._job.model, **vars(plan)}
        if self._objects.create_json(self._job.record, document):
            return plan
        return self.plan() or plan

    def done(self) -> list[Checkpoint]:
        """In order, as far as they follow on one another."""
        found = (Checkpoint.of(key) for key in self._objects.keys(self._job.work))
        parts = sorted((part for part in found if part is not None), key=lambda part: part.number)
        return [part for place, part in enumerate(parts, start=1) if part.number == place]

    def write(self, part: Checkpoint, answers: Sequence[bytes]) -> None:
        """Whoever writes a part writes the same bytes: to do it twice changes nothing."""
        self._objects.put(part.key(self._job), b"\n".join(answers))

    def contents(self, parts: Sequence[Checkpoint]) -> Iterator[bytes]:
        """What each part holds, in order; a few are read ahead, and no more than those are held."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - whoever only looks does not pay for it

        waiting: deque[Future[bytes]] = deque()
        with ThreadPoolExecutor(_READERS) as pool:
            for part in parts:
                waiting.append(pool.submit(self._objects.get, part.key(self._job)))
                if len(waiting) > _READERS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
