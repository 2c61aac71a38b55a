"""What bounds an experiment: its own seconds, and what is left of its function's time and memory."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from functions.core.runtime import memory_use
from functions.core.runtime.forked import Bounds, Cause, End

if TYPE_CHECKING:
    from models.contract import Search

MB = 2**20
SPARE_SECONDS = 30.0
"""Of a function's timeout, or a tenth of it where that is less: in them an experiment that was ended is recorded."""
SPARE_MB = 100
"""Of a function's memory, or a twentieth of it where that is less: for what an experiment takes between two looks."""
_NEARLY = 0.8
"""From this share of its memory on, a process that the kernel ended had too little of it."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """What one call of the function has, as far as it is bounded."""

    timeout_seconds: float | None = None
    memory_mb: int | None = None

    @classmethod
    def told(cls, timeout_seconds: str | None, memory_mb: str | None) -> Function:
        """Return what variables say; one that is not there, as while a stack is updated, bounds nothing."""
        return cls(
            timeout_seconds=None if timeout_seconds is None else float(timeout_seconds),
            memory_mb=None if memory_mb is None else int(memory_mb),
        )

    @property
    def seconds(self) -> float:
        """How long a call may be at work."""
        if self.timeout_seconds is None:
            return inf
        return self.timeout_seconds - min(SPARE_SECONDS, self.timeout_seconds / 10)

    @property
    def memory(self) -> int | None:
        """The bytes that its processes may have."""
        if self.memory_mb is None:
            return None
        return int((self.memory_mb - min(SPARE_MB, self.memory_mb / 20)) * MB)


UNBOUNDED = Function()


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The bounds of one experiment, and what is said where one of them ended it."""

    bounds: Bounds
    time: str
    memory: str
    left: int | None
    """The bytes that the function has for it."""

    @classmethod
    def of(cls, search: Search, function: Function, began: float) -> Limits:
        """Return the bounds of an experiment that begins now, in a call that `began` then, by `time.monotonic()`."""
        now, each = time.monotonic(), search.maximum_seconds_each
        until, seconds = began + function.seconds, function.seconds
        whose = f"what its function's timeout of {function.timeout_seconds or 0:g} s leaves"
        if each is not None and now + each < until:
            until, seconds, whose = now + each, each, "what search.maximum_seconds_each allows"
        left = None if function.memory is None else max(0, function.memory - memory_use.at_most([os.getpid()]))
        return cls(
            bounds=Bounds(until=until, memory=function.memory),
            time=f"took longer than {seconds:g} s, which is {whose}",
            memory="" if left is None else f"needed more than {left // MB:,} MB, which is {_left_of(function)}",
            left=left,
        )

    def told(self, end: End) -> str:
        """Say why an experiment came to an end without a result."""
        if end.cause is Cause.LATE:
            return self.time
        starved = end.code == -signal.SIGKILL and self.left is not None and end.peak > _NEARLY * self.left
        if end.cause is Cause.LARGE or starved:
            return self.memory
        if end.code == -signal.SIGKILL:
            return f"was killed (SIGKILL), as where a machine has no memory left; it had {end.peak // MB:,} MB"
        if end.code < 0:
            return f"was ended by {_name(-end.code)}, as by a fault in compiled code"
        return f"ended its process with exit code {end.code}; accepted: a fit that returns an estimator, or raises"


def _left_of(function: Function) -> str:
    return f"what is left of the function's {function.memory_mb:,} MB"


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
