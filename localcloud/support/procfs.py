"""What the processes of this machine hold, as Linux tells it in /proc."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
PARENT, GROUP, STARTED = 1, 2, 19
"""Positions in `/proc/<pid>/stat` after the name of the command: proc_pid_stat(5)."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """What one process holds at a moment."""

    pid: int
    parent: int
    group: int
    """Its process group."""
    started: int
    """When it started, in ticks since this machine did: with `pid`, which process it is."""
    memory: int
    """Resident memory, in bytes; pages that it shares with other processes are in it."""
    handles: int
    """Open file descriptors."""


def available() -> bool:
    """Return whether this machine tells what a process holds: Linux alone does."""
    return (PROC / "self" / "statm").exists()


def held_by(groups: Collection[int], pids: Collection[int] = ()) -> Mapping[int, Held]:
    """Return what each process of some process groups holds, and each of `pids`, by process id.

    A process that has ended meanwhile is left out, and so is a zombie: it holds nothing. Where this machine does not
    tell, the result is empty.
    """
    found = {}
    for name in os.listdir(PROC) if available() else ():  # noqa: PTH208 - every second: a path for each of hundreds of entries is waste
        if name.isdigit() and (held := _held(int(name), groups, pids)):
            found[held.pid] = held
    return found


def _held(pid: int, groups: Collection[int], pids: Collection[int]) -> Held | None:
    folder = PROC / str(pid)
    try:
        # The command's name may hold spaces and brackets; what follows its last bracket does not.
        state = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        group = int(state[GROUP])
        if group not in groups and pid not in pids:
            return None
        pages = int((folder / "statm").read_text(encoding="ascii").split()[1])
        handles = len(os.listdir(folder / "fd"))  # noqa: PTH208 - counted, and nothing else
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    if not pages:
        return None
    return Held(
        pid=pid,
        parent=int(state[PARENT]),
        group=group,
        started=int(state[STARTED]),
        memory=pages * os.sysconf("SC_PAGE_SIZE"),
        handles=handles,
    )
