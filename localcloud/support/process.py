"""A child process that ends with its parent, together with its own children."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import IO

TIED = (
    "unset PWD OLDPWD SHLVL; exec 3<&0 </dev/null; (while read -r _; do :; done <&3; kill -KILL 0) & exec 3<&-; exec "
)
"""Shell code in front of a command: when standard input ends, the whole process group is killed."""


class Child:
    """A command in a process group of its own, with exactly the environment `env`, its output appended to `log`.

    A shell in the same group waits for the end of a pipe that nobody writes to. The pipe ends
    when this process does, however that happens, and then the shell kills the group. The
    command itself needs no change. It inherits the file descriptors `inherits`, under their numbers.
    """

    def __init__(
        self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path, inherits: Sequence[int] = ()
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", f'{TIED} "$@"', "sh", *command],
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=tuple(inherits),
            )

    @property
    def pid(self) -> int:
        """Also the id of the process group."""
        return self._process.pid

    def code(self) -> int | None:
        """Return the exit code, or None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """Kill the whole group and wait up to 5 seconds until it is gone. Safe to call twice.

        It is not asked to end: it has nothing to save, and a worker in the middle of a call
        would delay the end.
        """
        _kill(self.pid)
        self._process.wait()
        _close(self._process.stdin)
        deadline = time.monotonic() + 5
        while group_alive(self.pid) and time.monotonic() < deadline:
            _kill(self.pid)


def persist(launch: Callable[[bool], bool], stop: Callable[[], None], attempts: int = 3) -> bool:
    """Launch a server up to `attempts` times, and return whether it came up.

    `launch(last)` starts it, returns whether it came up, and is told whether this is the last
    attempt; `stop` ends one that did not. A free port may be taken before the server binds it.
    When `launch` raises, nothing is left running.
    """
    try:
        for attempt in range(attempts):
            if launch(attempt == attempts - 1):
                return True
            stop()
    except BaseException:
        stop()
        raise
    return False


def answers_in_time(
    child: Child, answers: Callable[[], bool], waiting: Callable[[float], None], seconds: float
) -> bool:
    """Wait until a server answers, and return True; False once it has ended.

    `waiting` is told every second how many have passed. Raises `TimeoutError` after `seconds`.
    """
    started = reported = time.monotonic()
    while not answers():
        now = time.monotonic()
        if child.code() is not None:
            return False
        if now - started > seconds:
            raise TimeoutError(f"did not answer within {seconds:g} s")
        if now - reported > 1:
            reported = now
            waiting(now - started)
        time.sleep(0.01)
    return True


def group_alive(group: int) -> bool:
    """Return whether any process of the group runs; a zombie does not."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return bool(members({group}))


def members(groups: Collection[int]) -> Mapping[int, str]:
    """Return the command line of each process in some groups, by process id, without zombies."""
    listed = subprocess.run(
        ["/bin/ps", "-A", "-ww", "-o", "pid=,pgid=,stat=,command="], capture_output=True, text=True, check=True
    )
    rows = (line.split(None, 3) for line in listed.stdout.splitlines())
    return {
        int(pid): "".join(command) for pid, group, state, *command in rows if int(group) in groups and "Z" not in state
    }


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _close(pipe: IO[bytes] | None) -> None:
    if pipe:
        with contextlib.suppress(OSError):
            pipe.close()
