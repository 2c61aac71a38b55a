"""What went wrong, in one sentence, and the exit code that tells a script."""

from __future__ import annotations

FAILED = 1
"""What was asked for was refused, or came out otherwise than hoped for."""
UNREACHABLE = 3
"""There is no such stack, or it does not answer, or it does not know who asks."""
TOO_LATE = 4
"""What was waited for did not happen in time; it may still."""
SOME_REFUSED = 5
"""Some rows got an error, and the others their answers."""
ALL_REFUSED = 6
"""Every row got an error: there is no answer."""
CANCELLED = 7
"""What was waited for had been cancelled."""
INTERRUPTED = 130


class Mistake(Exception):
    """What the user is told, in one sentence; `kind` is the API's name for it, if it has one."""

    code = FAILED

    def __init__(self, sentence: str, *, kind: str = "") -> None:
        super().__init__(sentence)
        self.kind = kind


class Unreachable(Mistake):
    """The stack cannot be asked."""

    code = UNREACHABLE


class TooLate(Mistake):
    """The time to wait is over."""

    code = TOO_LATE


def code_of_rows(refused: int, rows: int) -> int:
    """Return the exit code for so many rows of which so many got an error."""
    if not refused:
        return 0
    return ALL_REFUSED if refused == rows else SOME_REFUSED
