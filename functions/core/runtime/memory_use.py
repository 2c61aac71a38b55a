"""How much memory processes have, as the kernel counts it. Only Linux tells."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PAGE = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")


def family(pid: int) -> Iterator[int]:
    """Yield a process and all that descend from it, as far as their parents live."""
    yield pid
    with suppress(OSError, ValueError):
        for thread in (_PROC / str(pid) / "task").iterdir():
            for child in (thread / "children").read_text("ascii").split():
                yield from family(int(child))


def at_most(pids: Iterable[int]) -> int:
    """Return no less than the bytes that processes have together: pages that several share are counted for each."""
    return sum(_pages(pid, 1) for pid in pids)


def reserved(pid: int) -> int:
    """Return the bytes that a process may write to, touched or not: what `RLIMIT_DATA` bounds, stacks besides."""
    return _pages(pid, 5)


def exactly(pids: Iterable[int]) -> int:
    """Return the bytes that processes have together: of a page that several share, each has its part.

    It takes some milliseconds for each GB.
    """
    return sum(map(_proportional, pids))


def _pages(pid: int, column: int) -> int:
    try:
        return int((_PROC / str(pid) / "statm").read_bytes().split()[column]) * _PAGE
    except (OSError, ValueError, IndexError):
        return 0


def _proportional(pid: int) -> int:
    try:
        for line in (_PROC / str(pid) / "smaps_rollup").read_text("ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return _pages(pid, 1)  # a kernel that does not tell it
