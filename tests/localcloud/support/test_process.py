"""A child process takes its own children with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar, cast

import pytest

from localcloud.engine.stack_file import ROOT
from localcloud.support import process
from localcloud.support.process import Child, group_alive

pytestmark = pytest.mark.integration

T = TypeVar("T")

PARENT = """
import os, subprocess, sys
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(grandchild.pid, sorted(os.environ), flush=True)
grandchild.wait()
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def start(log: Path, code: str) -> Child:
    return Child([sys.executable, "-c", code], env={"ONLY": "this"}, cwd=log.parent, log=log)


def until(look: Callable[[], T], seconds: float = 20) -> T:
    end = time.monotonic() + seconds
    while not (result := look()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return result


def first_line(child: Child) -> str:
    while "\n" not in (text := child.log.read_text(encoding="utf-8")):
        assert child.code() is None
    return text


def test_stopping_ends_a_grandchild_in_the_middle_of_its_work(log: Path) -> None:
    child = start(log, PARENT)
    grandchild = int(first_line(child).split()[0])
    assert os.getpgid(grandchild) == child.pid
    child.stop()
    assert not group_alive(child.pid)
    child.stop()


def test_the_environment_is_what_was_declared(log: Path) -> None:
    child = start(log, PARENT)
    line = first_line(child)
    child.stop()
    assert "['LC_CTYPE', 'ONLY']" in line or "['ONLY']" in line


def test_it_needs_to_know_nothing_to_end_with_a_parent_that_is_killed(log: Path) -> None:
    parent = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from localcloud.support.process import Child
        log = Path({str(log)!r})
        print(Child([sys.executable, "-c", {PARENT!r}], env={{}}, cwd=log.parent, log=log).pid, flush=True)
        sys.stdin.read()
    """)
    with subprocess.Popen(
        [sys.executable, "-c", parent], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        group = int(process.stdout.readline())
        grandchild = int(until(lambda: log.read_text(encoding="utf-8") if log.exists() else "").split()[0])
        assert os.getpgid(grandchild) == group
        process.send_signal(signal.SIGKILL)
        process.wait()
        until(lambda: not group_alive(group))


def test_the_code_of_one_that_ended_by_itself_is_known(log: Path) -> None:
    child = start(log, "import sys; print('last words'); sys.exit(3)")
    while child.code() is None:
        pass
    assert child.code() == 3
    assert log.read_text(encoding="utf-8") == "last words\n"
    child.stop()


class Clock:
    """Time that passes by sleeping alone."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(process, "time", clock)
    return clock


def child(code: int | None = None) -> Child:
    return cast("Child", SimpleNamespace(code=lambda: code))


def test_a_server_is_waited_for_with_a_word_every_second(clock: Clock) -> None:
    words: list[float] = []
    assert process.answers_in_time(child(), lambda: clock.now > 2.5, words.append, 30)
    assert [round(word) for word in words] == [1, 2]


def test_a_server_that_has_ended_is_waited_for_no_longer(clock: Clock) -> None:
    assert not process.answers_in_time(child(code=1), lambda: False, lambda _: None, 30)
    assert clock.now == 0


@pytest.mark.usefixtures("clock")
def test_a_server_that_never_answers_is_given_up() -> None:
    with pytest.raises(TimeoutError, match="did not answer within 30 s"):
        process.answers_in_time(child(), lambda: False, lambda _: None, 30)
