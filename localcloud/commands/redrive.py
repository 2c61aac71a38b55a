"""Dead letters of the stack that is up, brought back to be tried again."""

from __future__ import annotations

from pathlib import Path

from localcloud.commands.control import FILE, ask
from localcloud.commands.progress import Progress


def main(progress: Progress, state: Path) -> int:
    """Ask the stack that `make up` holds, and say how many came back. Raises `CloudFailed` when none is up."""
    moved = ask(state / FILE, "redrive")["moved"]
    progress.line("redrive", f"{moved} dead letter{'s' * (moved != 1)} back in the queue")
    return 0
