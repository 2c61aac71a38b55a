from __future__ import annotations

import pytest

from functions.core.runtime.patience import PAUSE_SECONDS, SECONDS, patiently
from functions.core.storage.objects import Forbidden


class Time:
    """A clock that only sleeping moves."""

    now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def __call__(self) -> float:
        return self.now


def refusing(times: int) -> list[Exception | str]:
    return [*(Forbidden("not yet") for _ in range(times)), "done"]


def test_a_store_that_refuses_for_a_while_is_asked_again() -> None:
    time, answers = Time(), refusing(5)

    def work() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert patiently(work, sleep=time.sleep, clock=time) == "done"
    assert time.now == 5 * PAUSE_SECONDS


def test_a_store_that_goes_on_refusing_is_believed_in_the_end() -> None:
    time = Time()

    def work() -> None:
        raise Forbidden("never")

    with pytest.raises(Forbidden, match="never"):
        patiently(work, sleep=time.sleep, clock=time)
    assert SECONDS - PAUSE_SECONDS <= time.now <= SECONDS


def test_any_other_failure_is_raised_at_once() -> None:
    time = Time()

    def work() -> None:
        raise OSError("away")

    with pytest.raises(OSError, match="away"):
        patiently(work, sleep=time.sleep, clock=time)
    assert time.now == 0
