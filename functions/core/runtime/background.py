"""Run work in a background thread, and wait for its result only where it is needed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

from functions.core.runtime import spans

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


class Background(Generic[Result]):
    """`Background(work)` starts the work in a thread at once; `result()` waits for it.

    What the work logs belongs to the span of the thread that had it started.
    """

    _result: Result

    def __init__(self, work: Callable[[], Result]) -> None:
        self._problem: BaseException | None = None
        self._span = spans.current()
        self._thread: threading.Thread | None = threading.Thread(target=self._run, args=(work,), daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no further thread can be started
            self._thread = None
            self._run(work)

    def _run(self, work: Callable[[], Result]) -> None:
        spans.enter(self._span)
        try:
            self._result = work()
        except BaseException as problem:
            self._problem = problem

    def result(self) -> Result:
        """Wait for the work to end, and return what it returned. Raises what it raised."""
        if self._thread is not None:
            self._thread.join()
        if self._problem is not None:
            raise self._problem
        return self._result
