"""A job by its name, and where all that belongs to it lies in the jobs store."""

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
"""What a job may be called."""


class NotAJob(ValueError):
    """A key under which no job of this stack can lie."""


class Format(StrEnum):
    """How a job's rows are written. The end of its name tells: `.csv`, `.jsonl`, anything else is JSON."""

    JSON = "json"
    """One request, `{"instances": [...]}`: answered as a whole, or refused as a whole."""
    LINES = "jsonl"
    """A JSON value a line: each row is answered by itself."""
    CSV = "csv"
    """A header and a row a line: each row is answered by itself."""

    @property
    def largest(self) -> int:
        """Bytes of the input: a request is held in memory, rows of a file pass through it."""
        return 20_000_000 if self is Format.JSON else 1_000_000_000


_ENDINGS = {"csv": Format.CSV, "jsonl": Format.LINES, "ndjson": Format.LINES}


@dataclass(frozen=True, kw_only=True)
class Job:
    model: str
    name: str

    @classmethod
    def at(cls, key: str, models: Collection[str]) -> Self:
        """The job whose input, or whose continuation, lies at `key`. Raises `NotAJob`."""
        model, _, rest = key.partition("/")
        if rest.startswith(layout.JOB_CONTINUATIONS):
            name, separator, _part = rest.removeprefix(layout.JOB_CONTINUATIONS).partition("/")
            known = bool(separator) and "/" not in _part
        else:
            name, known = rest.removeprefix(layout.JOB_INPUTS), rest.startswith(layout.JOB_INPUTS)
        if not known or not NAME.fullmatch(name):
            raise NotAJob(
                f"a job's key is <model>/{layout.JOB_INPUTS}<job>, the job of letters, digits, '.', '_' and '-',"
                " at most 128"
            )
        if model not in models:
            raise NotAJob(f"there is no such model; served here: {', '.join(models)}")
        return cls(model=model, name=name)

    @property
    def format(self) -> Format:
        return _ENDINGS.get(self.name.rpartition(".")[2].lower(), Format.JSON)

    @property
    def input(self) -> str:
        return f"{self.model}/{layout.JOB_INPUTS}{self.name}"

    @property
    def result(self) -> str:
        """The one document that says how the job ended; of a request it holds the predictions, too."""
        return f"{self.model}/{layout.JOB_RESULTS}{self.name}.json"

    @property
    def rows(self) -> str:
        """The answers to a file, a line for each row, in the file's order."""
        return f"{self.model}/{layout.JOB_RESULTS}{self.name}.jsonl"

    @property
    def work(self) -> str:
        """The folder of what is done of the job so far."""
        return f"{self.model}/{layout.JOB_WORK}{self.name}"

    @property
    def record(self) -> str:
        """What was decided when the job began, and holds to its end."""
        return f"{self.work}/job.json"

    @property
    def ticket(self) -> str:
        """That somebody was given the right to upload the input. The same for every format."""
        return f"{self.model}/{layout.JOB_TICKETS}{self.name.partition('.')[0]}"

    def again(self, part: int) -> str:
        """Written, it is announced like an input, and the job goes on behind so many parts."""
        return f"{self.model}/{layout.JOB_CONTINUATIONS}{self.name}/{part:06}"


def dead(key: str) -> str:
    """Where the reason lies for which the message about `key` became a dead letter."""
    model, _, rest = key.partition("/")
    name = Job.at(key, (model,)).name if _is_job(key) else f"not-a-job-{sha256(rest.encode()).hex()[:16]}"
    return f"{model}/{layout.JOB_FAILURES}{name}.json"


def _is_job(key: str) -> bool:
    try:
        Job.at(key, (key.partition("/")[0],))
    except NotAJob:
        return False
    return True
