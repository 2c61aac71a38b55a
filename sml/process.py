"""A process of this machine, by its number."""

from __future__ import annotations

import os


def is_alive(number: int) -> bool:
    """Return whether there is a process of this number, whoever runs it."""
    try:
        os.kill(number, 0)  # asks whether it is there
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
