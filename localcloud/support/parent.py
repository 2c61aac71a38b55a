"""The end of a process together with the one that started it, however that one ends."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping

LOOK_SECONDS = 0.5
PATIENCE_SECONDS = 30
"""How long this process may take to end. What it started ends with it, in any case."""
BY_MAKE = "MAKELEVEL"
"""The variable that make sets for what it runs."""


def end_with_make(environment: Mapping[str, str] = os.environ) -> threading.Thread | None:
    """End this process as SIGTERM does once make is gone, if make started it: `kill -9` of make tells nobody.

    Return the thread that waits for it.

    A process that somebody started otherwise may outlive whoever did, as with `nohup`.
    """
    if BY_MAKE not in environment:
        return None
    thread = threading.Thread(target=follow, args=(os.getppid(),), name="parent", daemon=True)
    thread.start()
    return thread


def follow(
    parent: int,
    parent_now: Callable[[], int] = os.getppid,
    end: Callable[[int, int], None] = os.kill,
    wait: Callable[[float], None] = time.sleep,
    leave: Callable[[int], object] = os._exit,
) -> None:
    """Wait until the parent is another one than `parent`, and end this process."""
    while parent_now() == parent:
        wait(LOOK_SECONDS)
    end(os.getpid(), signal.SIGTERM)
    wait(PATIENCE_SECONDS)
    leave(1)
