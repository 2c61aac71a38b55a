"""What a process holds is read from /proc."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from localcloud.support import procfs
from localcloud.support.procfs import available, held_by

on_linux = pytest.mark.skipif(not available(), reason="only Linux tells what a process holds")


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process with a group of its own, that waits for the end of its input."""
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as process:
        yield process


@on_linux
def test_open_handles_and_resident_memory_of_this_process_are_seen() -> None:
    before = held_by((), [os.getpid()])[os.getpid()]
    with ExitStack() as until_the_end:
        for _ in range(100):
            until_the_end.enter_context(open(os.devnull, "rb"))  # noqa: PTH123
        # Of the system itself: a process that has freed as much would give of that.
        kept = until_the_end.enter_context(mmap.mmap(-1, 20_000_000))
        kept.write(b"x" * 20_000_000)
        after = held_by((), [os.getpid()])[os.getpid()]
    assert after.handles - before.handles > 90
    assert after.memory - before.memory > 15_000_000
    assert (after.started, after.parent) == (before.started, os.getppid())


@on_linux
@pytest.mark.integration
def test_the_processes_of_a_group_are_found_until_they_end(child: subprocess.Popen[bytes]) -> None:
    held = held_by([child.pid])
    assert [(one.pid, one.parent, one.group) for one in held.values()] == [(child.pid, os.getpid(), child.pid)]
    child.communicate()
    assert not held_by([child.pid])


@on_linux
@pytest.mark.integration
def test_a_zombie_holds_nothing(child: subprocess.Popen[bytes]) -> None:
    assert child.stdin is not None
    child.stdin.close()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not held_by([child.pid])


def test_a_machine_that_does_not_tell_is_known_and_nothing_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(procfs, "PROC", tmp_path / "proc")
    assert not available()
    assert held_by((), [os.getpid()]) == {}
