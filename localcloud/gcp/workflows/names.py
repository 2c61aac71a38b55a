"""The variables that the steps of a routine read and write, and the steps that they may jump to."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field, replace

from localcloud.gcp.workflows.errors import Refused

JUMPS_OF_A_LOOP = frozenset({"break", "continue"})


@dataclass(frozen=True, kw_only=True)
class StepContext:
    """The surroundings of a step: the names it may jump to, and the number of parallel steps around it."""

    targets: frozenset[str] = frozenset({"end"})
    nesting: int = 0

    def among(self, names: Iterable[str]) -> StepContext:
        """Return the context within a list of steps, which may also jump to each other."""
        return replace(self, targets=self.targets | frozenset(names))

    def in_a_loop(self) -> StepContext:
        """Return the context within a loop: outside it, only the end can be jumped to, of the loop or the routine."""
        return replace(self, targets=(self.targets & {"end"}) | JUMPS_OF_A_LOOP)

    def in_a_branch(self) -> StepContext:
        """Return the context within a parallel branch, which cannot jump out of it."""
        return StepContext(targets=frozenset(), nesting=self.nesting + 1)

    def in_a_parallel_loop(self) -> StepContext:
        """Return the context within a parallel loop, which can only jump to its next iteration."""
        return StepContext(targets=frozenset({"continue"}), nesting=self.nesting + 1)


@dataclass
class Names:
    """The variables of a routine's steps, recorded while the steps are parsed."""

    params: frozenset[str]
    reads: dict[str, str] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    _written: list[set[str]] = field(default_factory=lambda: [set()])
    _parallel: list[tuple[str, set[str], set[str], frozenset[str]]] = field(default_factory=list)

    def read(self, names: Iterable[str], step: str) -> None:
        """Record that a step reads variables."""
        for name in names:
            self.reads.setdefault(name, step)

    def write(self, name: str) -> None:
        """Record that a step assigns a variable."""
        self.known.add(name)
        self._written[-1].add(name)

    def local(self, name: str) -> None:
        """Record a variable that a loop or an `except` declares for itself."""
        self.known.add(name)

    @contextlib.contextmanager
    def parallel(self, step: str, shared: frozenset[str]) -> Generator[None]:
        """Record, for the `with` block, assignments within a parallel branch that shares some variables."""
        outside = self._written[-1]
        self._written.append(set())
        yield
        inside = self._written.pop()
        outside |= inside & shared
        self._parallel.append((step, inside, outside, shared))

    def check(self) -> None:
        """Raise `Refused` for a variable that is never assigned, or assigned by a branch that does not share it."""
        for name, step in self.reads.items():
            if name not in self.known | self.params:
                raise Refused(f"{step}: variable {name} is never assigned")
        for step, inside, outside, shared in self._parallel:
            around = (outside | self.params) - (inside & shared)
            if unshared := sorted(inside & around - shared):
                raise Refused(f"{step}: its branches assign {', '.join(unshared)}, which must be in shared")
            if unknown := sorted(shared - self.known - self.params):
                raise Refused(f"{step}: shared names {', '.join(unknown)}, which is never assigned")
