"""What each process of a stack holds while it is used: resident memory and open handles, and whether that grows."""

from __future__ import annotations

import itertools
import os
import time
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Self

from localcloud.engine.stack import LocalStack
from localcloud.support.procfs import Held, held_by
from localcloud.support.while_inside import WhileInside

EVERY_SECONDS = 1.0
WARM_UP = 0.25
"""The share of a run after which it is judged: copies are started, libraries opened and buffers filled until then."""
LEAST_LIFE = 0.5
"""A process is judged if it lives for this share of a run; what is started anew all the time cannot grow."""
GROWTH_SHARE, GROWTH_BYTES = 0.05, 8_000_000
"""What the memory of a process may grow by, whichever is more. An allocator keeps what it was once given, so a process
that leaks nothing still creeps with the largest requests that meet in it. Half of the run lies between the middles of
the two thirds: of ten minutes at 100 requests a second and a swap every five seconds, a leak of 400 bytes for each
request is found in a process of 225 MB, and one of 0.2 MB for each swap."""
GROWTH_HANDLES = 2
"""A connection more to a store or to a caller is use; one for each request, job or swap is a leak."""
MB = 1e6
OURSELVES = "this command"
"""The kind of this process: the clients, and whatever of an embedded cloud is code of this project."""


@dataclass(frozen=True, kw_only=True)
class Growth:
    """The medians of the first and of the last third of a series that was judged."""

    first: float
    last: float

    @classmethod
    def of(cls, series: Sequence[float]) -> Self:
        """Compare the thirds of a series of three values or more."""
        third = len(series) // 3
        return cls(first=median(series[:third]), last=median(series[-third:]))

    @property
    def by(self) -> float:
        return self.last - self.first


@dataclass(frozen=True, kw_only=True)
class Judged:
    """How memory, in bytes, and handles of one process grew."""

    pid: int
    memory: Growth
    handles: Growth

    @property
    def complaints(self) -> list[str]:
        """What grew by more than its bound, each with the figures; none for a process that is flat."""
        found = []
        if self.memory.by > max(GROWTH_SHARE * self.memory.first, GROWTH_BYTES):
            figures = f"{self.memory.first / MB:.1f} to {self.memory.last / MB:.1f} MB"
            bound = f"{GROWTH_SHARE:.0%} and {GROWTH_BYTES / MB:.0f} MB"
            found.append(f"process {self.pid}: its memory grew from {figures}, by more than {bound}")
        if self.handles.by > GROWTH_HANDLES:
            figures = f"{self.handles.first:.0f} to {self.handles.last:.0f}"
            found.append(f"process {self.pid}: its open handles grew from {figures}, by more than {GROWTH_HANDLES}")
        return found


@dataclass(frozen=True, kw_only=True)
class Kind:
    """The processes of one kind: the copies of a function, an emulator, this command."""

    name: str
    seen: int
    """The number of processes."""
    judged: Sequence[Judged]
    """Those that lived long enough, the one whose memory grew most first."""

    @property
    def complaints(self) -> list[str]:
        """What grew by more than its bound, each with the name of the kind."""
        return [f"{self.name}, {complaint}" for one in self.judged for complaint in one.complaints]

    @property
    def text(self) -> str:
        """The figures of the process whose memory grew most, and the most that the handles of one grew by."""
        if not self.judged:
            return f"{self.seen} seen, none for half of the time"
        most, handles = self.judged[0].memory, max((one.handles for one in self.judged), key=lambda one: one.by)
        return (
            f"{len(self.judged)} of {self.seen}, "
            f"{most.first / MB:.1f} -> {most.last / MB:.1f} MB ({most.by / MB:+.1f}), "
            f"handles {handles.first:.0f} -> {handles.last:.0f} ({handles.by:+.0f})"
        )


@dataclass(frozen=True, kw_only=True)
class Series:
    """What one process held, a value for each look at it."""

    at: array[float] = field(default_factory=lambda: array("d"))
    memory: array[int] = field(default_factory=lambda: array("q"))
    handles: array[int] = field(default_factory=lambda: array("q"))

    def add(self, at: float, held: Held) -> None:
        """Append what a process holds, `at` seconds of the run."""
        self.at.append(at)
        self.memory.append(held.memory)
        self.handles.append(held.handles)

    def judged(self, pid: int, seconds: float) -> Judged | None:
        """Compare its thirds after the warm-up of a run of some seconds; None if it did not live long enough.

        A process that starts during the run warms up as long as the first ones did.
        """
        begin = self.at[0] + WARM_UP * seconds
        kept = [n for n, at in enumerate(self.at) if at >= begin]
        if self.at[-1] - self.at[0] < LEAST_LIFE * seconds or len(kept) < 3:
            return None
        memory, handles = ([values[n] for n in kept] for values in (self.memory, self.handles))
        return Judged(pid=pid, memory=Growth.of(memory), handles=Growth.of(handles))


class Holdings(WhileInside):
    """Looks every `EVERY_SECONDS`, from a thread, at what some processes hold, until the `with` block ends.

    `look` returns what they hold, by process id, and `name` the kind of each process by its id; it is asked
    now and then, because it is slow. A process without a kind has that of its parent in the same process group, or
    else is of the kind `rest`. What the two raise is raised at the end.

    with Holdings(look, name, rest="emulator") as holdings:
        ...
    holdings.kinds
    """

    NAMED_EVERY = 10
    """The number of looks after which the processes are named again."""

    def __init__(
        self, look: Callable[[], Mapping[int, Held]], name: Callable[[], Mapping[int, str]], *, rest: str
    ) -> None:
        super().__init__()
        self._look = look
        self._name = name
        self._rest = rest
        self._series: dict[tuple[int, int], Series] = {}
        self._names: dict[tuple[int, int], str] = {}
        self._seconds = 0.0

    @property
    def kinds(self) -> list[Kind]:
        """The processes by kind, in the order of the kinds' names."""
        by_kind: dict[str, list[tuple[int, Series]]] = {}
        for (pid, started), series in self._series.items():
            by_kind.setdefault(self._names.get((pid, started), self._rest), []).append((pid, series))
        return [self._kind(name, by_kind[name]) for name in sorted(by_kind)]

    def _kind(self, name: str, processes: Sequence[tuple[int, Series]]) -> Kind:
        judged = [one for pid, series in processes if (one := series.judged(pid, self._seconds))]
        judged.sort(key=lambda one: one.memory.by, reverse=True)
        return Kind(name=name, seen=len(processes), judged=judged)

    def work(self, number: int) -> None:
        began = time.monotonic()
        for turn in itertools.count(number):
            held = self._look()
            self.record(time.monotonic() - began, held, self._name() if turn % self.NAMED_EVERY == 0 else {})
            if self.over.wait(EVERY_SECONDS):
                break

    def record(self, at: float, held: Mapping[int, Held], names: Mapping[int, str]) -> None:
        """Keep what the processes hold `at` seconds of the run, and the kinds of those that are named."""
        self._seconds = at
        for pid, one in held.items():
            self._series.setdefault((pid, one.started), Series()).add(at, one)
            if name := self._named(pid, held, names):
                self._names[pid, one.started] = name

    def _named(self, pid: int, held: Mapping[int, Held], names: Mapping[int, str]) -> str | None:
        """Return the kind of a process, or of the nearest in the line of its parents that has one."""
        group = held[pid].group
        while pid in held and held[pid].group == group:
            if name := names.get(pid) or self._names.get((pid, held[pid].started)):
                return name
            pid = held[pid].parent
        return None


def of_stack(stack: LocalStack) -> Holdings:
    """Return the holdings of every process of a stack, by function, of its emulator, and of this process."""

    def look() -> Mapping[int, Held]:
        return held_by(stack.cloud.groups, [os.getpid()])

    def name() -> Mapping[int, str]:
        functions = stack.of(stack.cloud.function)
        copies = {
            pid: function.declared.name.removesuffix("-function")
            for function in functions
            for pid in stack.cloud.workers(function)
        }
        return {**copies, os.getpid(): OURSELVES}

    return Holdings(look, name, rest=stack.cloud.emulator)


def complaints(kinds: Sequence[Kind], *, of_others: str) -> list[str]:
    """Return what grew by more than its bound, but for the kind of a program that others wrote."""
    return [complaint for kind in kinds if kind.name != of_others for complaint in kind.complaints]
