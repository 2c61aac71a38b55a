"""A process within a processor share and a memory: what it used is measured, and not how long it took."""

from __future__ import annotations

import subprocess
import sys

import pytest

from localcloud.support.size_limits import available, within

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not available(), reason="Linux alone tells what another process has used"),
]
USE = """
import os, sys, time
begun, children = time.monotonic(), int(sys.argv[2])
for _ in range(children):
    if os.fork() == 0:
        while time.process_time() < float(sys.argv[1]): pass
        os._exit(0)
while time.process_time() < float(sys.argv[1]): pass
for _ in range(children): os.wait()
print(sum(os.times()[:4]), time.monotonic() - begun)
"""
"""Uses so many seconds of the processor, in itself and in each of some children, and tells how many, and within which
time."""


def run(code: str, *arguments: str, share: float, period_ms: float = 20, memory_mb: int = 500) -> tuple[int, str, str]:
    command = within([sys.executable, "-c", code, *arguments], share=share, period_ms=period_ms, memory_mb=memory_mb)
    # Its standard error ends once whoever holds it has ended, too.
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(("share", "period_ms"), [(0.1, 20), (0.25, 20), (0.333, 100)])
def test_a_process_gets_no_more_of_the_processor_than_its_share(share: float, period_ms: float) -> None:
    used, elapsed = map(float, run(USE, "0.15", "0", share=share, period_ms=period_ms)[1].split())
    # The first quota is used at once; and by a tenth a look may come too late.
    assert used <= 1.1 * share * elapsed + share * period_ms / 1000 + 0.02


def test_children_share_it() -> None:
    used, elapsed = map(float, run(USE, "0.08", "2", share=0.3)[1].split())
    assert used > 0.2
    assert used <= 1.1 * 0.3 * elapsed + 0.04


def test_a_share_may_be_a_fraction_and_a_whole_one_is_not_held_back() -> None:
    code, said, told = run("print('whole')", share=1.0)
    assert (code, said, told) == (0, "whole\n", "")


def test_a_process_with_more_memory_is_killed_and_told_as_the_clouds_tell_it() -> None:
    code, _, told = run("import time\nkept = b'1' * 300_000_000\ntime.sleep(30)", share=1.0, memory_mb=128)
    assert code == -9
    assert told.startswith("Memory limit of 128 MiB exceeded with ")
    assert "signal: killed" in told


def test_pages_that_two_processes_share_count_once() -> None:
    forked = "if os.fork() == 0:\n    time.sleep(0.3)\n    os._exit(0)\nos.wait()\nprint('both')"
    code = f"import os, time\nkept = b'1' * 60_000_000\n{forked}"
    assert run(code, share=1.0, memory_mb=110)[:2] == (0, "both\n")


def test_it_ends_as_the_command_ends() -> None:
    assert run("raise SystemExit(7)", share=0.5)[0] == 7
