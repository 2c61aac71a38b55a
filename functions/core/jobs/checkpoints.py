"""The plan of a job, and its checkpoints: the answers to each of its parts, in whatever order they are worked on."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Any, Self

from models.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from functions.core.jobs.job import Job
    from functions.core.storage.objects import Objects

FORMAT = 2
_READERS = 4
_KEY = re.compile(r"part-(\d{6})-(\d{9})-(\d{9})(-last)?")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the first attempt at a job decides, and every other one follows."""

    version: str
    """The version that answers every row, whichever is live meanwhile."""
    state: str
    """The state of the input: when it changes, the job fails."""
    batch_rows: int
    """How many rows go through the model at once."""
    part_rows: int
    """How many rows are a part, where the input can be read in order only: a multiple of `batch_rows`."""
    workers: int = 1
    """How many workers take parts in turn."""
    bounds: tuple[int, ...] = ()
    """Where the parts begin in the file, and where the last one ends; empty where it can be read in order only."""
    facts: Mapping[str, Any] | None = None
    """The form of a table: `functions.core.dataset.wanted.Facts`."""
    about: Mapping[str, Any] | None = None
    """What the result says of the input besides."""

    @property
    def parts(self) -> int | None:
        """How many parts there are; None where that shows only at the end."""
        return len(self.bounds) - 1 if self.bounds else None


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """One part of a job that is done."""

    number: int
    """From 1."""
    rows: int = 0
    refused: int = 0
    """Rows that got an error instead of a prediction."""
    last: bool = False
    """Whether no part follows, where the input can be read in order only."""

    def key(self, job: Job) -> str:
        """Return the key of its object. The key holds all numbers, so that one listing tells the whole progress."""
        end = "-last" if self.last else ""
        return f"{job.checkpoints}/part-{self.number:06}-{self.rows:09}-{self.refused:09}{end}"

    @classmethod
    def of(cls, key: str) -> Self | None:
        """Return the checkpoint with this key; None for any other object of the folder."""
        match = _KEY.fullmatch(key.rpartition("/")[2])
        if match is None:
            return None
        number, rows, refused = map(int, match.groups()[:3])
        return cls(number=number, rows=rows, refused=refused, last=match[4] is not None)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a job is."""

    version: str
    rows: int
    share: float | None
    """Of its parts, 0 to 1; None where nobody knows how many there are."""


class Checkpoints:
    """The plan and the checkpoints of one job."""

    def __init__(self, objects: Objects, job: Job) -> None:
        self._objects = objects
        self._job = job

    def plan(self) -> Plan | None:
        """Return the plan; None when no attempt has made one.

        Raises `ValueError` for a plan of another format, written by another release.
        """
        document = self._objects.find_json(self._job.plan)
        if document is None:
            return None
        if document["format"] != FORMAT:
            raise ValueError(f"{self._job.plan}: this release reads format {FORMAT}")
        known: dict[str, Any] = {name: document[name] for name in Plan.__dataclass_fields__}
        known["bounds"] = tuple(known["bounds"])
        return Plan(**known)

    def begin(self, plan: Plan) -> Plan:
        """Write `plan` unless there is one, and return the plan that counts: the first that was written."""
        document: dict[str, Any] = {"format": FORMAT, "job": self._job.name, "model": self._job.model, **vars(plan)}
        if self._objects.create_json(self._job.plan, document):
            return plan
        return self.plan() or plan

    def done(self) -> dict[int, Checkpoint]:
        """Return the checkpoints by their number."""
        candidates = (Checkpoint.of(key) for key in self._objects.keys(self._job.checkpoints))
        return {one.number: one for one in candidates if one is not None}

    def whole(self, plan: Plan) -> list[Checkpoint] | None:
        """Return the checkpoints of all parts, in order; None where one is not done yet."""
        done = self.done()
        last = plan.parts or next((one.number for one in done.values() if one.last), None)
        if last is None or any(number not in done for number in range(1, last + 1)):
            return None
        return [done[number] for number in range(1, last + 1)]

    def progress(self) -> Progress | None:
        """Return how far the job is; None when no attempt has made a plan."""
        plan = self.plan()
        if plan is None:
            return None
        done = self.done()
        share = None if plan.parts is None else round(len(done) / plan.parts, 3)
        return Progress(version=plan.version, rows=sum(one.rows for one in done.values()), share=share)

    def write(self, checkpoint: Checkpoint, lines: bytes) -> None:
        """Write the answers to a part. Every attempt writes the same bytes."""
        self._objects.put(checkpoint.key(self._job), lines)

    def contents(self, checkpoints: Sequence[Checkpoint]) -> Iterator[bytes]:
        """Yield the answers to each part, in order; at most a few are in memory, read ahead."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - a status does not pay for it

        waiting: deque[Future[bytes]] = deque()
        with ThreadPoolExecutor(_READERS) as pool:
            for checkpoint in checkpoints:
                waiting.append(pool.submit(self._objects.get, checkpoint.key(self._job)))
                if len(waiting) > _READERS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
