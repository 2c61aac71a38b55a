"""What is asked of a copy of a function, and what a cloud must be able to do with one: trials.py of each cloud."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from interface import variables
from sml.mistake import Mistake
from sml.process import is_alive

ALONE_SECONDS = 3600
"""After which a copy that another machine made counts as left behind."""
MARK = "-tune-"
DROPPED = frozenset({variables.METER})
"""Variables of the function that its copy does not get: what a copy uses is nobody's use of the stack."""
CHANGED = {variables.CAPTURES_URL: "memory://"}
"""Variables of a copy that are other than the function's: no judge may count its requests."""
TASKS = Path("/proc/self/task")
ENFORCE = "ENFORCE_SIZE"
"""The variable by which an embedded cloud holds a function to the processor share and the memory of its size."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request to the function."""

    path: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    rows: int = 1


@dataclass(frozen=True, kw_only=True)
class Call:
    """What became of a request."""

    status: int
    """Of the API; 0 where the function itself failed."""
    ms: float
    """How long the function took, its start included if it had to start."""
    billed_ms: float | None = None
    """None: what is billed is `ms`, rounded up."""
    memory_mb: float | None = None
    """The most memory the copy has had; None where the cloud does not say."""
    problem: str = ""
    """Why there is no answer."""
    out_of_memory: bool = False


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """The function as it is deployed."""

    memory_mb: int
    architecture: str
    shared: bool = False
    """Whether several callers share a copy, which then has a whole processor."""


class TooSmall(Mistake):
    """The function does not fit into this size."""


class Trials(Protocol):
    """Copies of one function, which answer nobody else."""

    proves: str
    """What its figures are, and what they are not."""

    @property
    def sizes(self) -> Sequence[int]:
        """Sizes in MB that are tried where nobody names any."""
        ...

    def name(self) -> str:
        """Return a new name for a copy."""
        ...

    def deployed(self) -> Deployed:
        """Read how the function is deployed."""
        ...

    def leftovers(self) -> list[str]:
        """Return the names of copies of this function that exist."""
        ...

    def remove(self, name: str) -> None:
        """Delete a copy; one that is gone is fine."""
        ...

    def open(self, name: str, memory_mb: int, processors: float) -> None:
        """Make a copy of this size, or give the one of that name this size. Raise `Mistake` where it is refused.

        The first call afterwards finds no process of it that runs.
        """
        ...

    def call(self, name: str, asked: Asked) -> Call:
        """Ask the copy."""
        ...


HERE = (
    "Processes of this machine, each held to the processor share of its size and to its memory: that shows how latency "
    "changes with the share, and which sizes are too small; not how fast the cloud's processors are, nor how long its "
    "sandboxes take to start."
)

BUSY = (
    " The machine is busy, a load of {:.0f} on {} processors: the figures are too high, and their order may be chance."
)


def require_processes() -> None:
    """Raise `Mistake` for a machine that cannot hold a process to a share: Linux alone tells what another one used."""
    if not TASKS.is_dir():
        raise Mistake("a function of this machine is tuned on Linux alone; a stack in an account anywhere: --stack")


def proven(of_the_cloud: str, *, embedded: bool) -> str:
    """Return what figures prove, and that a machine with more to do than it can makes them too high."""
    if not embedded:
        return of_the_cloud
    load, count = os.getloadavg()[0], os.cpu_count() or 1
    return HERE + (BUSY.format(load, count) if load > count else "")


def name_of_copy(function: str, longest: int, now: float | None = None) -> str:
    """Return a new name for a copy: whose it is, and until when it counts as in use."""
    until = int((time.time() if now is None else now) + ALONE_SECONDS)
    own = f"{MARK}{_machine()}-{os.getpid()}-{until:x}"
    return f"{beginning(function, longest)}{own.removeprefix(MARK)}"


def beginning(function: str, longest: int) -> str:
    """Return how the names of all copies of a function begin: at most `longest` characters with what follows."""
    return function[: longest - 32].rstrip("-") + MARK


def in_use(name: str, now: float | None = None) -> bool:
    """Return whether somebody may still be at work with a copy: a process of this machine, or another machine."""
    machine, _, rest = name.rpartition(MARK)[2].partition("-")
    pid, _, until = rest.partition("-")
    try:
        if int(until, 16) < (time.time() if now is None else now):
            return False
        return machine != _machine() or is_alive(int(pid))
    except ValueError:
        return False


def variables_of_copy(values: Mapping[str, str], *, embedded: bool, start: str) -> dict[str, str]:
    """Return the variables of a copy. Another `start` has it start anew."""
    kept = {name: value for name, value in values.items() if name not in DROPPED}
    enforced = {ENFORCE: "yes"} if embedded else {}
    return {**kept, **{name: value for name, value in CHANGED.items() if name in kept}, **enforced, "TUNE_START": start}


def _machine() -> str:
    return sha256(socket.gethostname().encode()).hexdigest()[:6]
