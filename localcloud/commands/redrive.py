"""Sends the dead letters of a queue of the running stack back to it."""

from __future__ import annotations

from pathlib import Path

from localcloud.commands.control import FILE, ask
from localcloud.commands.progress import Progress


def main(progress: Progress, state: Path, function: str) -> int:
    """Redrive the queue of a function in the stack of `make up`, and print the number of messages.

    Raises `CloudFailed` when no stack is up, and for a function without a queue.
    """
    moved = ask(state / FILE, "redrive", function=function)["moved"]
    progress.line("redrive", f"{moved} dead letter{'s' * (moved != 1)} back in the queue of {function}")
    return 0
