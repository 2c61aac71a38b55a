"""One `make up` at a time in a folder of state: a second one would take the first one's files, and delete them."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from localcloud.engine.cloud import CloudFailed

LOCK, OWNER = "up.lock", "up.pid"


@contextmanager
def alone(state: Path) -> Generator[None]:
    """Hold the lock of a folder of state while the block lasts. The system lets go of it when this process is killed.

    Raises `CloudFailed`, which names the process that holds it.
    """
    state.mkdir(parents=True, exist_ok=True)
    lock, owner = FileLock(state / LOCK), state / OWNER
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise CloudFailed(_taken(state, owner)) from None
    try:
        owner.write_text(f"{os.getpid()}\n", encoding="utf-8")
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def _taken(state: Path, owner: Path) -> str:
    try:
        process = f"process {int(owner.read_text(encoding='utf-8'))}"
    except (FileNotFoundError, ValueError):
        process = "a process that has just begun"
    return (
        f"a stack is up here already, in {process} (its files are in {state}): "
        "end it by Ctrl-C there, or give this one a folder of its own, "
        "`.venv/bin/python -m localcloud up --state FOLDER`"
    )
