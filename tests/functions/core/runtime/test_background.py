from __future__ import annotations

import threading

import pytest

from functions.core.runtime.background import Background


def test_work_runs_in_the_background_and_its_result_is_waited_for() -> None:
    go_on = threading.Event()
    work = Background(lambda: go_on.wait(10) and 42)
    go_on.set()
    assert (work.result(), work.result()) == (42, 42)


def test_what_work_raises_is_raised_where_its_result_is_wanted() -> None:
    work = Background(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        work.result()


def test_without_a_further_thread_the_work_is_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert Background(lambda: 42).result() == 42
