"""The memory of a process and of all that it started, at any one moment."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.measure import Sample
from bench.runtime_api import Failed

PAUSE_SECONDS = 0.03


def watched(command: Sequence[str], *, cwd: Path | None = None) -> Sample:
    """Run a command and look at it again and again: the largest sum of what its processes hold, what they share once.

    Raises `Failed` for any exit code but 0.
    """
    began = time.perf_counter()
    process = subprocess.Popen(
        list(command), cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    most = 0.0
    while process.poll() is None:
        most = max(most, sum(_held_mib(pid) for pid in _tree(process.pid)))
        time.sleep(PAUSE_SECONDS)
    if process.returncode:
        raise Failed(f"{command[0]} ended with {process.returncode}")
    return Sample(seconds=time.perf_counter() - began, peak_mib=most)


def _tree(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return
    for child in children:
        yield from _tree(int(child))


def _held_mib(pid: int) -> float:
    """Return the proportional set size: a page that two processes share is half of each."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
