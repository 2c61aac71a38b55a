"""Runs one function at several sizes, one after the other, in a copy that nobody else calls and that goes away."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sml.api import words_of
from sml.mistake import Mistake
from sml.tune.measured import Measured, Size
from sml.tune.trial import Asked, Call, TooSmall, Trials, in_use

WARMING = 3
"""Calls after a start that are not counted: caches fill."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How often each size is asked."""

    calls: int
    """Requests of a row."""
    colds: int = 2
    """Starts."""

    @property
    def batches(self) -> int:
        return max(3, self.calls // 10)


@contextmanager
def copy(trials: Trials, name: str, say: Callable[[str], None]) -> Generator[str]:
    """Lend the name of a copy, and delete the copy afterwards, however that comes; first those that were left behind.

    Raise `Mistake` where somebody is at work with another copy of the function.
    """
    for other in trials.leftovers():
        if in_use(other):
            raise Mistake(f"the function is being tuned already, by its copy {other}: wait until that is over")
        trials.remove(other)
        say(f"removed {other}, which an earlier call left behind")
    try:
        yield name
    except KeyboardInterrupt:
        say(f"stopped; removing {name}")
        raise
    finally:
        trials.remove(name)


def run(
    trials: Trials,
    name: str,
    sizes: Sequence[Size],
    asked: tuple[Sequence[Asked], Asked | None],
    plan: Plan,
    say: Callable[[str], None],
) -> list[Measured]:
    """Return what was measured of each size. Raise `Mistake` where the function refuses what it is asked."""
    found = []
    for size in sizes:
        say(f"{size.memory_mb:,} MB, {size.processors:.3g} processors")
        try:
            found.append(_measure(trials, name, size, asked, plan))
        except TooSmall as small:
            found.append(Measured(size=size, problem=str(small)))
        except _Refused:
            raise
        except Mistake as refused:
            if refused.code != Mistake.code:
                raise
            found.append(Measured(size=size, problem=str(refused)))
        if found[-1].problem:
            say(f"{size.memory_mb:,} MB: {found[-1].problem}")
    return found


def _measure(
    trials: Trials, name: str, size: Size, asked: tuple[Sequence[Asked], Asked | None], plan: Plan
) -> Measured:
    single, batch = asked
    cold = []
    for _ in range(plan.colds):
        trials.open(name, size.memory_mb, size.processors)
        cold.append(_answered(trials.call(name, single[0])))
    for at in range(WARMING):
        _answered(trials.call(name, single[at % len(single)]))
    warm = [_answered(trials.call(name, single[at % len(single)])) for at in range(plan.calls)]
    measured = Measured(size=size, cold=cold, warm=warm, batch_rows=0 if batch is None else batch.rows)
    if batch is None:
        return measured
    try:
        return replace(measured, batch=[_answered(trials.call(name, batch)) for _ in range(plan.batches)])
    except _Refused:
        raise
    except Mistake as small:
        return replace(measured, batch_problem=str(small))


class _Refused(Mistake):
    """The function refuses the request: it would at any size."""


def _answered(call: Call) -> Call:
    if call.out_of_memory:
        raise TooSmall("out of memory")
    if call.problem:
        raise Mistake(call.problem)
    if call.status >= 400:
        raise _Refused(f"the function answers its golden rows with {call.status}: it is not tuned")
    return call


def said(content: bytes) -> str:
    """Return what a refusal of the function says."""
    try:
        return words_of(json.loads(content)) or "no reason"
    except ValueError:
        return content[:200].decode(errors="replace") or "no reason"


def start_mark() -> str:
    """Return what no earlier start was called."""
    return f"{time.time_ns():x}"
