"""A private folder for one embedded cloud."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path


def take(state: Path) -> Path:
    """A new folder below `state`, named after this process; those of processes that are gone are removed."""
    rooms = state / "run"
    rooms.mkdir(parents=True, exist_ok=True)
    for workspace in rooms.iterdir():
        owner = workspace.name.split("-")[0]
        if owner.isdigit() and not _alive(int(owner)):
            clear(workspace)
    return Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=rooms))


def clear(tree: Path) -> None:
    """Remove a folder and what is in it. Unpacked bundles are read-only: they are opened first."""
    for folder, _, _ in os.walk(tree):
        Path(folder).chmod(0o700)
    shutil.rmtree(tree, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
