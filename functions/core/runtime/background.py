"""Background work: a call that runs in a thread until its result is wanted."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")


class Background(Generic[Found]):
    """`Background(work)` starts the work at once; `result` waits for it."""

    _found: Found

    def __init__(self, work: Callable[[], Found]) -> None:
        self._problem: BaseException | None = None
        self._thread: threading.Thread | None = threading.Thread(target=self._do, args=(work,), daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # there can be no further thread
            self._thread = None
            self._do(work)

    def _do(self, work: Callable[[], Found]) -> None:
        try:
            self._found = work()
        except BaseException as problem:
            self._problem = problem

    def result(self) -> Found:
        """Wait for the work and return what it returned. Raise what it raised."""
        if self._thread is not None:
            self._thread.join()
        if self._problem is not None:
            raise self._problem
        return self._found
