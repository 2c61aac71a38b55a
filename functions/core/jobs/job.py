"""A job's name and format, and the keys of its objects in the jobs store."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from functions.core.runtime.digest import sha256
from interface import layout
from models.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
"""The names that a job may have."""


class NotAJob(ValueError):
    """A key is not that of a job of this stack."""


class Format(StrEnum):
    """The format of a job's input, by the end of the job's name, without `.gz`: JSON for any that is not known."""

    JSON = "json"
    """One request, `{"instances": [...]}`: all rows are answered, or the whole job is refused."""
    LINES = "jsonl"
    """One JSON value a line: each row is answered or refused by itself."""
    CSV = "csv"
    """A header, then one row a line: each row is answered or refused by itself."""
    PARQUET = "parquet"
    """A table: each row is answered or refused by itself."""
    NPY = "npy"
    """The one input of a model as numpy saves an array: its first axis are the rows."""
    NPZ = "npz"
    """The inputs of a model by name, as numpy saves several arrays."""

    @property
    def largest(self) -> int:
        """The largest input, in bytes: a request is held in memory, a file is read in blocks."""
        return 20_000_000 if self is Format.JSON else 1_000_000_000


GZIP = ".gz"
UPLOADS = tuple(f"{kind}{ending}" for kind in Format for ending in ("", GZIP))
"""What may be uploaded, as the end of a job's name says it."""
_ENDINGS = {**{str(kind): kind for kind in Format}, "ndjson": Format.LINES}


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job. `input`, `result` and the like are keys in the jobs store."""

    model: str
    name: str

    @classmethod
    def at(cls, key: str, models: Collection[str]) -> Self:
        """Return the job whose input, or continuation, has this key. Raises `NotAJob`."""
        model, rest = _parted(key)
        if key.startswith(layout.JOB_CONTINUATIONS) or rest.startswith(layout.JOB_CONTINUATIONS_BEFORE):
            name, separator, checkpoints = rest.removeprefix(layout.JOB_CONTINUATIONS_BEFORE).partition("/")
            is_job = bool(separator) and "/" not in checkpoints
        else:
            name, is_job = rest.removeprefix(layout.JOB_INPUTS), rest.startswith(layout.JOB_INPUTS)
        if not is_job or not NAME.fullmatch(name):
            raise NotAJob(
                f"a job's key is <model>/{layout.JOB_INPUTS}<job>; <job> has 1 to 128 letters, digits, '.', '_' and '-'"
            )
        if model not in models:
            raise NotAJob(f"there is no such model; served here: {', '.join(models)}")
        return cls(model=model, name=name)

    @property
    def compressed(self) -> bool:
        """Whether the input is compressed with gzip."""
        return self.name.lower().endswith(GZIP)

    @property
    def format(self) -> Format:
        return _ENDINGS.get(self.name.lower().removesuffix(GZIP).rpartition(".")[2], Format.JSON)

    @property
    def input(self) -> str:
        return f"{self.model}/{layout.JOB_INPUTS}{self.name}"

    @property
    def result(self) -> str:
        """The document that says how the job ended. For the format JSON it includes the predictions."""
        return f"{self.model}/{layout.JOB_RESULTS}{self.name}.json"

    @property
    def predictions(self) -> str:
        """The predictions for a file: one line for each row, in the order of the file; compressed if the file is."""
        return f"{self.model}/{layout.JOB_RESULTS}{self.name}.jsonl{GZIP if self.compressed else ''}"

    @property
    def checkpoints(self) -> str:
        """The folder of the job's plan and checkpoints."""
        return layout.below(self.model, layout.JOB_WORK) + self.name

    @property
    def plan(self) -> str:
        """The plan, which the first attempt writes and every later one follows."""
        return f"{self.checkpoints}/plan.json"

    @property
    def ticket(self) -> str:
        """The record of what the API was asked for: `Ticket`. Its key is the same for every format."""
        return layout.below(self.model, layout.JOB_TICKETS) + self.stem

    @property
    def cancelled(self) -> str:
        """The object by which the API tells workers that nobody wants the result any more."""
        return f"{layout.below(self.model, layout.JOB_TICKETS)}{self.name}.cancelled"

    @property
    def told(self) -> str:
        """The record that the event about the end of the job has reached whoever waits for it."""
        return f"{self.checkpoints}/told.json"

    @property
    def stem(self) -> str:
        """The name without the ending that tells the format, for a name that the API made."""
        return self.name.partition(".")[0]

    def continuation(self, part: int) -> str:
        """The key of a continuation with a part, from 1: the store announces it like a new input."""
        return f"{layout.below(self.model, layout.JOB_CONTINUATIONS)}{self.name}/{part:06}"


def part_of(key: str) -> int:
    """Return the part with which the worker begins that gets this key, from 1."""
    number = key.rpartition("/")[2]
    is_continuation = key.startswith(layout.JOB_CONTINUATIONS) or f"/{layout.JOB_CONTINUATIONS_BEFORE}" in key
    return int(number) if is_continuation and number.isdecimal() else 1


def dead_letter_reason(key: str) -> str:
    """Return the key of the document that says why the message about `key` became a dead letter."""
    model, rest = _parted(key)
    name = Job.at(key, (model,)).name if _is_job(key) else f"not-a-job-{sha256(rest.encode()).hex()[:16]}"
    return f"{model}/{layout.JOB_FAILURES}{name}.json"


def model_of(key: str) -> str:
    """Return the name of a model, where the key of an input or of a continuation has it."""
    return _parted(key)[0]


def _is_job(key: str) -> bool:
    try:
        Job.at(key, (model_of(key),))
    except NotAJob:
        return False
    return True


def _parted(key: str) -> tuple[str, str]:
    """Return the model of a key, and what comes behind its name."""
    model, _, rest = key.removeprefix(layout.JOB_CONTINUATIONS).partition("/")
    return model, rest
