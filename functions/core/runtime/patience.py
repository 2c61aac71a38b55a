"""Ask a store again that refuses: a grant takes minutes until it holds everywhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from functions.core.storage.objects import Forbidden

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

SECONDS = 60.0
"""How long a step asks again. The workflow calls a step that failed twice more, so it is three times as long in all."""
PAUSE_SECONDS = 5.0


def patiently(
    work: Callable[[], Result],
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Result:
    """Return what `work` returns, called again while a store refuses. Raise `Forbidden` after `SECONDS` of that."""
    end = clock() + SECONDS
    while True:
        try:
            return work()
        except Forbidden:
            if clock() + PAUSE_SECONDS > end:
                raise
        sleep(PAUSE_SECONDS)
