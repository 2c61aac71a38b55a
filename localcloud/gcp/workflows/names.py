"""Which variables the steps of a routine read and write, and which steps they may jump to."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field, replace

from localcloud.gcp.workflows.errors import Refused

JUMPS_OF_A_LOOP = frozenset({"break", "continue"})


@dataclass(frozen=True, kw_only=True)
class StepContext:
    """Where a step stands: the names it may jump to, and how many parallel steps are around it."""

    targets: frozenset[str] = frozenset({"end"})
    nesting: int = 0

    def among(self, names: Iterable[str]) -> StepContext:
        """Inside a list of steps, which may also jump to the steps around it."""
        return replace(self, targets=self.targets | frozenset(names))

    def in_a_loop(self) -> StepContext:
        """Nothing outside can be jumped to but the end, of the loop or of the routine."""
        return replace(self, targets=(self.targets & {"end"}) | JUMPS_OF_A_LOOP)

    def in_a_branch(self) -> StepContext:
        return StepContext(targets=frozenset(), nesting=self.nesting + 1)

    def in_a_parallel_loop(self) -> StepContext:
        return StepContext(targets=frozenset({"continue"}), nesting=self.nesting + 1)


@dataclass
class Names:
    """What the steps of a routine do with variables, gathered while they are read."""

    params: frozenset[str]
    reads: dict[str, str] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    _written: list[set[str]] = field(default_factory=lambda: [set()])
    _parallel: list[tuple[str, set[str], set[str], frozenset[str]]] = field(default_factory=list)

    def read(self, names: Iterable[str], step: str) -> None:
        for name in names:
            self.reads.setdefault(name, step)

    def write(self, name: str) -> None:
        self.known.add(name)
        self._written[-1].add(name)

    def local(self, name: str) -> None:
        """A name that a loop or an `except` makes for itself."""
        self.known.add(name)

    @contextlib.contextmanager
    def parallel(self, step: str, shared: frozenset[str]) -> Generator[None]:
        """What is written inside belongs to a branch, except for what is shared."""
        outside = self._written[-1]
        self._written.append(set())
        yield
        inside = self._written.pop()
        outside |= inside & shared
        self._parallel.append((step, inside, outside, shared))

    def check(self) -> None:
        """Raises `Refused`."""
        for name, step in self.reads.items():
            if name not in self.known | self.params:
                raise Refused(f"{step}: variable {name} is never assigned")
        for step, inside, outside, shared in self._parallel:
            around = (outside | self.params) - (inside & shared)
            if stray := sorted(inside & around - shared):
                raise Refused(f"{step}: its branches assign {', '.join(stray)}, which must be in shared")
            if strange := sorted(shared - self.known - self.params):
                raise Refused(f"{step}: shared names {', '.join(strange)}, which is never assigned")
