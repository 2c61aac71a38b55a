"""A child process that cannot outlive its parent, and takes its own children with it."""

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
"""Shell words before a command: at the end of standard input its whole process group is killed."""


class Child:
    """A command in a process group of its own, with a clean environment and its output in a log.

    Beside it in the group a shell waits for the end of a pipe that nobody writes to. The pipe
    ends when this process does, however that happens, and then the group is killed: the child
    needs to know nothing of it.
    """

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path) -> None:
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
            )

    @property
    def pid(self) -> int:
        """Also the id of the process group."""
        return self._process.pid

    def code(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """End the whole group at once and wait until it is gone. Safe to call twice.

        The group is killed rather than asked: it keeps nothing that is worth saving, and
        a worker in the middle of a call would otherwise delay the end.
        """
        _kill(self.pid)
        self._process.wait()
        _lifeline(self._process.stdin)
        deadline = time.monotonic() + 5
        while group_alive(self.pid) and time.monotonic() < deadline:
            _kill(self.pid)


def persist(launch: Callable[[bool], bool], stop: Callable[[], None], attempts: int = 3) -> bool:
    """Whether a server came up: `launch`, told whether it is the last time, says so, and `stop` ends one that did not.

    A port that was free may be taken by the time the server asks for it. Whatever is raised, nothing is left running.
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


def group_alive(group: int) -> bool:
    """Whether any process of the group runs: one that is dead, and that nobody has buried yet, does not."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return bool(members({group}))


def members(groups: Collection[int]) -> Mapping[int, str]:
    """The processes in some groups, by pid, each with its command line; those that are dead already are not."""
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


def _lifeline(pipe: IO[bytes] | None) -> None:
    if pipe:
        with contextlib.suppress(OSError):
            pipe.close()
