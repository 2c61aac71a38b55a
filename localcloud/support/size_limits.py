"""Holds a process to the processor share and the memory of a function's size, as the clouds do, without being root.

    python -I -S size_limits.py PID SHARE PERIOD_MS MEMORY_MB      SHARE: 0.25, or 442/1769

In each period the process and its children may use so much of the processor's time as their share of the period; then
they are stopped until it ends (SIGSTOP, SIGCONT). That is how the kernel's scheduler holds a control group to its quota
(https://docs.kernel.org/scheduler/sched-bwc.html), so a short request may run at full speed here as there. What was
used beyond a quota, because a look comes too late, is taken off the next one. A process of more memory is killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

LEAST_SECONDS = 0.0003
"""The least time between two looks."""
PAGE = os.sysconf("SC_PAGE_SIZE")
BEGIN = '("$1" -I -S "$2" $$ "$3" "$4" "$5" </dev/null >/dev/null &); shift 5; exec "$@"'
"""Shell code that becomes a command, whose process is held from its beginning."""
BEYOND = "Memory limit of {} MiB exceeded with {} MiB used. Runtime exited with error: signal: killed"


def available() -> bool:
    """Return whether this machine can hold a process to a share: Linux alone tells what another process has used."""
    return Path("/proc/self/task").is_dir()


def within(command: Sequence[str], *, share: float, period_ms: float, memory_mb: int) -> list[str]:
    """Return a command that runs another one within a processor share, 0.25 for a quarter of one, and a memory."""
    return [
        "/bin/sh",
        "-c",
        BEGIN,
        "sh",
        sys.executable,
        __file__,
        f"{share}",
        f"{period_ms}",
        f"{memory_mb}",
        *command,
    ]


class Held:
    """A process and its children."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._seen: dict[int, float] = {}
        """Seconds of the processor that each has used, those that have ended included."""

    @property
    def used(self) -> float:
        """Seconds of the processor that all have used. Raises `ProcessLookupError` once the first has ended."""
        for pid in self.find():
            with contextlib.suppress(OSError):
                # The processor's time of another process: clock_getcpuclockid(3).
                self._seen[pid] = time.clock_gettime((~pid << 3) | 2)
        return sum(self._seen.values())

    def memory_mb(self, enough: float) -> float:
        """Return the resident memory of all, in MiB. Raises `ProcessLookupError` once the first has ended.

        Up to `enough` a page that several of them share counts for each: to find out takes long.
        """
        pages = {}
        for pid in self.find():
            with contextlib.suppress(OSError):
                pages[pid] = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        if not pages.get(self._pid):
            raise ProcessLookupError("it has ended, and nobody has noticed yet")
        resident = sum(pages.values()) * PAGE / 1024 / 1024
        return resident if resident <= enough else sum(map(_proportional_mb, pages))

    def find(self) -> list[int]:
        """Return the ids of all. Raises `ProcessLookupError` once the first has ended."""
        found = [self._pid]
        for pid in found:
            try:
                threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - in every period
            except OSError:
                if pid == self._pid:
                    raise ProcessLookupError("it has ended") from None
                continue
            for thread in threads:
                with contextlib.suppress(OSError):
                    children = Path(f"/proc/{pid}/task/{thread}/children").read_text(encoding="ascii")
                    found += [int(child) for child in children.split() if int(child) != os.getpid()]
        return found

    def send(self, number: int) -> None:
        """Send a signal to all."""
        for pid in self.find():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def _proportional_mb(pid: int) -> float:
    """Return a process's resident memory in MiB, of a shared page its part; 0 for one that has ended."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii", errors="replace").splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return 0.0


def hold(held: Held, *, share: float, period: float, memory_mb: float) -> None:
    """Hold it until it ends, which raises `ProcessLookupError`. `period` is in seconds."""
    quota, spent, stopped = share * period, 0.0, False
    balance, end = 0.0, time.monotonic()
    while True:
        end = max(end + period, time.monotonic())
        balance = min(balance + quota, quota)
        if (taken := held.memory_mb(memory_mb)) > memory_mb:
            print(BEYOND.format(f"{memory_mb:.0f}", f"{taken:.0f}"), file=sys.stderr, flush=True)
            held.send(signal.SIGKILL)
            return
        while (now := time.monotonic()) < end:
            used = held.used
            balance, spent = balance - (used - spent), used
            if (balance <= 0) is not stopped:
                stopped = balance <= 0
                held.send(signal.SIGSTOP if stopped else signal.SIGCONT)
            time.sleep(end - now if stopped else min(max(balance, LEAST_SECONDS), end - now))


def main(pid: int, share: str, period_ms: float, memory_mb: float) -> None:
    """Hold a process until it ends."""
    part, _, whole = share.partition("/")
    # What it inherits would stay open as long as it runs: sockets, and pipes whose end others wait for.
    os.closerange(3, min(os.sysconf("SC_OPEN_MAX"), 65_536))
    held = Held(pid)
    try:
        hold(held, share=float(part) / float(whole or 1), period=period_ms / 1000, memory_mb=memory_mb)
    except ProcessLookupError:
        return
    finally:
        with contextlib.suppress(ProcessLookupError):
            held.send(signal.SIGCONT)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))
