from __future__ import annotations

import threading

import pytest

from localcloud.support.while_inside import WhileInside


class Counting(WhileInside):
    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.begun = threading.Barrier(threads + 1)
        self.ended: list[int] = []

    def work(self, number: int) -> None:
        self.begun.wait(10)
        self.over.wait()
        self.ended.append(number)


class Failing(WhileInside):
    def work(self, number: int) -> None:
        raise LookupError(f"thread {number}")


def test_the_work_goes_on_until_the_block_ends_and_then_is_over() -> None:
    with Counting(3) as counting:
        counting.begun.wait(10)
        assert counting.ended == []
    assert sorted(counting.ended) == [0, 1, 2]


def test_what_the_work_raises_is_raised_at_the_end_unless_the_block_itself_failed() -> None:
    with pytest.raises(LookupError, match="thread 0"), Failing():
        pass
    with pytest.raises(KeyError), Failing():
        raise KeyError
