"""The plan of a job, and its checkpoints: the predictions so far, in order."""

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
    """What the first attempt at a job decides, and every later one follows."""

    version: str
    """The version that predicts every row, whichever is live meanwhile."""
    state: str
    """The state of the input: when it changes, the job fails."""
    bytes: int
    """Size of the input."""
    batches: int
    """Batches between two checkpoints."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A checkpoint of a job. All numbers count from the beginning of the job."""

    number: int
    """From 1."""
    rows: int = 0
    refused: int = 0
    """Rows that got an error instead of a prediction."""
    end: int = 0
    """Where the rows after the checkpoint begin: see `Row.end`."""

    def key(self, job: Job) -> str:
        """Return the key of its object. The key holds all numbers, so that one listing tells the whole progress."""
        return f"{job.checkpoints}/{self.number:06}-{self.rows:09}-{self.refused:09}-{self.end:010}"

    @classmethod
    def of(cls, key: str) -> Self | None:
        """Return the checkpoint with this key; None for any other object of the folder."""
        fields = key.rpartition("/")[2].split("-")
        if len(fields) != 4 or not all(map(str.isdigit, fields)):
            return None
        number, rows, refused, end = map(int, fields)
        return cls(number=number, rows=rows, refused=refused, end=end)


BEGINNING = Checkpoint(number=0)


class Checkpoints:
    """The plan and the checkpoints of one job."""

    def __init__(self, objects: Objects, job: Job) -> None:
        self._objects = objects
        self._job = job

    def plan(self) -> Plan | None:
        """Return the plan; None when no attempt has reached a first checkpoint.

        Raises `ValueError` for a plan of another format, written by another release.
        """
        document = self._objects.find_json(self._job.plan)
        if document is None:
            return None
        if document["format"] != FORMAT:
            raise ValueError(f"{self._job.plan}: this release reads format {FORMAT}")
        return Plan(**{name: document[name] for name in Plan.__dataclass_fields__})

    def begin(self, plan: Plan) -> Plan:
        """Write `plan` unless there is one, and return the plan that counts: the first that was written."""
        document: dict[str, Any] = {"format": FORMAT, "job": self._job.name, "model": self._job.model, **vars(plan)}
        if self._objects.create_json(self._job.plan, document):
            return plan
        return self.plan() or plan

    def done(self) -> list[Checkpoint]:
        """Return the checkpoints in order, up to the first gap in their numbers."""
        candidates = (Checkpoint.of(key) for key in self._objects.keys(self._job.checkpoints))
        ordered = sorted((one for one in candidates if one is not None), key=lambda one: one.number)
        return [checkpoint for number, checkpoint in enumerate(ordered, start=1) if checkpoint.number == number]

    def write(self, checkpoint: Checkpoint, predictions: Sequence[bytes]) -> None:
        """Write the predictions since the last checkpoint. Every attempt writes the same bytes."""
        self._objects.put(checkpoint.key(self._job), b"\n".join(predictions))

    def contents(self, checkpoints: Sequence[Checkpoint]) -> Iterator[bytes]:
        """Yield the predictions of each checkpoint, in order; at most a few are in memory, read ahead."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - a status does not pay for it

        waiting: deque[Future[bytes]] = deque()
        with ThreadPoolExecutor(_READERS) as pool:
            for checkpoint in checkpoints:
                waiting.append(pool.submit(self._objects.get, checkpoint.key(self._job)))
                if len(waiting) > _READERS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
