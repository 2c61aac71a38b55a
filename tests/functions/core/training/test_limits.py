"""What an experiment may use, and what is said of one that was ended: without a process."""

from __future__ import annotations

import signal
import time
from math import inf

import pytest

from functions.core.runtime.forked import Bounds, Cause, End
from functions.core.training.limits import MB, UNBOUNDED, Function, Limits
from tests.functions.bench import contract


@pytest.mark.parametrize(("timeout", "seconds"), [(840, 810), (900, 870), (60, 54), (None, inf)])
def test_a_function_keeps_time_to_record_what_it_ended(timeout: float | None, seconds: float) -> None:
    assert Function(timeout_seconds=timeout).seconds == seconds


@pytest.mark.parametrize(("memory", "megabytes"), [(3008, 2908), (1000, 950), (None, None)])
def test_a_function_keeps_memory_for_what_is_taken_between_two_looks(memory: int | None, megabytes: int | None) -> None:
    found = Function(memory_mb=memory).memory
    assert found == (None if megabytes is None else megabytes * MB)


def test_a_function_whose_variables_are_not_set_yet_is_not_bounded() -> None:
    assert Function.told(None, None) == UNBOUNDED
    assert Function.told("840", "3008") == Function(timeout_seconds=840, memory_mb=3008)


def test_the_sooner_of_the_two_ends_an_experiment_and_is_named() -> None:
    search, began = contract(search={"maximum_seconds_each": 100}).search, time.monotonic()
    short, long = (Limits.of(search, Function(timeout_seconds=timeout), began) for timeout in (20, 840))
    assert short.bounds.until == began + 18
    assert short.time == "took longer than 18 s, which is what its function's timeout of 20 s leaves"
    assert began + 100 <= long.bounds.until < began + 200
    assert long.time == "took longer than 100 s, which is what search.maximum_seconds_each allows"


def test_where_nothing_is_bounded_nothing_ends_an_experiment() -> None:
    assert Limits.of(contract().search, UNBOUNDED, time.monotonic()).bounds == Bounds()


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (End(cause=Cause.LATE, code=-9, peak=0), "late"),
        (End(cause=Cause.LARGE, code=-9, peak=0), "large"),
        (End(cause=Cause.ENDED, code=-9, peak=95 * MB), "large"),
        (
            End(cause=Cause.ENDED, code=-9, peak=20 * MB),
            "was killed (SIGKILL), as where a machine has no memory left; it had 20 MB",
        ),
        (
            End(cause=Cause.ENDED, code=-signal.SIGSEGV, peak=0),
            "was ended by SIGSEGV, as by a fault in compiled code",
        ),
        (End(cause=Cause.ENDED, code=-99, peak=0), "was ended by signal 99, as by a fault in compiled code"),
        (
            End(cause=Cause.ENDED, code=1, peak=0),
            "ended its process with exit code 1; accepted: a fit that returns an estimator, or raises",
        ),
    ],
)
def test_what_ended_an_experiment_is_said_in_a_sentence(end: End, said: str) -> None:
    assert Limits(bounds=Bounds(), time="late", memory="large", left=100 * MB).told(end) == said
