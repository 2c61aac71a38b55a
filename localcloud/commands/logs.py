"""Prints what a function of the running stack logged."""

from __future__ import annotations

from pathlib import Path

from localcloud.commands.control import FILE, ask
from localcloud.commands.progress import Progress


def main(_: Progress, state: Path, function: str, lines: int) -> int:
    """Print the newest lines that a function of the stack of `make up` logged, oldest first.

    Raises `CloudFailed` when no stack is up, and for an unknown function.
    """
    logged = ask(state / FILE, "logs", function=function, lines=lines)["lines"]
    print("\n".join(logged) or f"{function} has logged nothing yet")
    return 0
