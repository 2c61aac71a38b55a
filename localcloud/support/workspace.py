"""The private folder of one embedded cloud."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path


def take(state: Path) -> Path:
    """Create a folder below `state`, named after this process, and remove those of processes that have ended."""
    workspaces = state / "run"
    workspaces.mkdir(parents=True, exist_ok=True)
    for workspace in workspaces.iterdir():
        owner = workspace.name.split("-")[0]
        if owner.isdigit() and not _alive(int(owner)):
            clear(workspace)
    return Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=workspaces))


def clear(tree: Path) -> None:
    """Remove a folder with its content, read-only files (such as unpacked archives) included.

    What goes meanwhile, because a process that ends clears up after itself, is no mistake.
    """
    for folder, _, _ in os.walk(tree):
        with contextlib.suppress(FileNotFoundError):
            Path(folder).chmod(0o700)
    shutil.rmtree(tree, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
