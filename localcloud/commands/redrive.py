"""Sends the dead letters of the running stack back to its queue."""

from __future__ import annotations

from pathlib import Path

from localcloud.commands.control import FILE, ask
from localcloud.commands.progress import Progress


def main(progress: Progress, state: Path) -> int:
    """Redrive in the stack of `make up`, and print the number. Raises `CloudFailed` when none is up."""
    moved = ask(state / FILE, "redrive")["moved"]
    progress.line("redrive", f"{moved} dead letter{'s' * (moved != 1)} back in the queue")
    return 0
