"""Work in a fork of this process, with bounds on time and memory that hold whatever the work does.

Compiled code may never return to Python, and a process that has no memory left is ended by the kernel: only another
process can say so. A fork has all that this process has imported and read, without a copy. Linux alone.
"""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import select
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from functools import partial
from math import inf
from pathlib import Path
from typing import IO

from functions.core.runtime import frames, memory_use

HERE = sys.platform == "linux"
"""Whether this system can do it."""
SOONEST, LATEST = 0.01, 0.25
"""Seconds between two looks at time and memory, by how much is left."""
_FASTEST = 4_000_000_000
"""No process takes more bytes in a second: the kernel empties each page."""
_PIECE = 1 << 20
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
_ONE_AT_A_TIME = threading.Lock()
Tell = Callable[[bytes, object, bytes], None]
"""Sends a message to the process that waits: its kind, JSON values, and bytes."""


class Cause(Enum):
    """How the work came to its end."""

    ENDED = "it ended by itself, with an exit code or by a signal"
    LATE = "its time was over"
    LARGE = "it had too much memory"


@dataclass(frozen=True, kw_only=True)
class End:
    cause: Cause
    code: int
    """The exit code; below 0 a signal's number."""
    peak: int
    """The most memory that one process of it had, in bytes."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    until: float = inf
    """By `time.monotonic()`."""
    memory: int | None = None
    """The bytes that this process and those of the work may have together."""


def run(work: Callable[[Tell], None], hear: Callable[[frames.Frame], None], bounds: Bounds) -> End:
    """Have a fork of this process do `work`, and call `hear` with each message of it. Return how it ended.

    The processes that it started and left are ended with it, and it ends with this process.
    """
    reader, writer = os.pipe()
    try:
        pid = _fork(partial(_be, work, reader, writer, os.getpid(), bounds.memory))
    finally:
        os.close(writer)
    cause, code, peak = Cause.LATE, -int(signal.SIGKILL), 0
    try:
        cause = _watch(pid, reader, hear, bounds)
    finally:
        code, peak = _end(pid)
        os.close(reader)
    return End(cause=cause, code=code, peak=peak)


def _fork(child: Callable[[], None]) -> int:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # whatever stands for it here
            stream.flush()  # or the child would write it, too
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        # Python warns where there are other threads: the stores' client has some, and the child does not use it.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        child()
    return pid


def _be(work: Callable[[Tell], None], reader: int, writer: int, parent: int, memory: int | None) -> None:
    """Be the child, to its end."""
    code = 1
    try:
        gc.freeze()  # a look at what is shared would copy it
        os.setsid()  # its own group, which is ended as one
        os.close(reader)
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() == parent:
            _restrain(memory)
            with os.fdopen(writer, "wb") as out:
                work(partial(_tell, os.getpid(), out))
            code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(BaseException):
                stream.flush()
        os._exit(code)


def _tell(pid: int, out: IO[bytes], kind: bytes, head: object, payload: bytes) -> None:
    """Send a message, unless a process that the work has forked comes by here: the work speaks for itself alone."""
    if os.getpid() == pid:
        frames.write(out, kind, head, payload)


def _restrain(memory: int | None) -> None:
    """Have this process do as it is told, ask for less than the machine has, and be the first that the kernel ends."""
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")
    if memory is None:
        return
    # What it has is watched. This is for what asks for all of it at once: Python raises then, with a line.
    most = memory_use.reserved(os.getpid()) + memory
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if soft == resource.RLIM_INFINITY or most < soft:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def _watch(pid: int, reader: int, hear: Callable[[frames.Frame], None], bounds: Bounds) -> Cause:
    """Hear what the child says until it ends, or has to be ended."""
    inbox, poll, pause, speaks = frames.Inbox(), select.poll(), SOONEST, True
    os.set_blocking(reader, False)
    poll.register(reader, select.POLLIN)
    while True:
        if poll.poll(pause * 1000) and not _heard(reader, inbox, hear):
            poll.unregister(reader)
            speaks = False  # it is about to end
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            _heard(reader, inbox, hear)
            return Cause.ENDED
        began = time.monotonic()
        if began > bounds.until:
            return Cause.LATE
        left = inf if bounds.memory is None else bounds.memory - _used(bounds.memory, pid)
        if left < 0:
            return Cause.LARGE
        took = time.monotonic() - began
        latest = LATEST if speaks else SOONEST
        pause = max(min(latest, left / _FASTEST, bounds.until - began), SOONEST, 3 * took)


def _heard(reader: int, inbox: frames.Inbox, hear: Callable[[frames.Frame], None]) -> bool:
    """Hear what has been said so far. Return whether more may follow."""
    while True:
        try:
            piece = os.read(reader, _PIECE)
        except BlockingIOError:
            return True
        if not piece:
            return False
        for frame in inbox.add(piece):
            hear(frame)


def _used(memory: int, pid: int) -> int:
    """Return the bytes that this process and those of the work have, exactly where it may be more than `memory`."""
    pids = [os.getpid(), *memory_use.family(pid)]
    used = memory_use.at_most(pids)
    return used if used <= memory else memory_use.exactly(pids)


def _end(pid: int) -> tuple[int, int]:
    """End the child and what it started, and return its exit code and the most memory that it had, in bytes."""
    for each in [*memory_use.family(pid), pid]:
        _kill(os.kill, each)
    _kill(os.killpg, pid)  # it is not waited for yet: the group's number is nobody else's
    _, status, used = os.wait4(pid, 0)
    return os.waitstatus_to_exitcode(status), used.ru_maxrss * 1024


def _kill(by: Callable[[int, int], None], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        by(number, signal.SIGKILL)
