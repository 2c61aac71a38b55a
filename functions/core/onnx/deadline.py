"""Stop the runs of models that last too long: a graph of a few bytes can loop for ever.

One thread of the process looks at all runs that are under way, and asks onnxruntime to end those whose time
is over, which it does before the next node of the graph (`RunOptionsSetTerminate`).
"""

from __future__ import annotations

import _thread
import os
import time

TYPE_CHECKING = False  # importing typing or contextlib would delay the first answer
if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.core.onnx.library import Library, RunOptions

LONGEST_SECONDS = 30.0
"""How long a run may take where nobody says how long."""
LOOK_SECONDS = 0.2
"""How often runs are looked at."""
_under_way: dict[int, tuple[float, Guard]] = {}
"""When each run has to be over, and what stops it, by a number of its own."""
_ending = _thread.allocate_lock()
"""Held while a run is being stopped."""
_thread_of: dict[int, int] = {}
"""The thread that looks, by the process: a process that was forked has none."""
_own = _thread._local()


class Guard:
    """What can stop the runs of one thread, one after the other: `RunOptions`."""

    def __init__(self, library: Library, options: RunOptions) -> None:
        self._library = library
        self.options = options
        """What a run is given."""

    def begin(self) -> bool:
        """Begin a run; return False where its time is over already."""
        now = time.monotonic()
        until = getattr(_own, "until", None)
        if until is not None and until <= now:
            return False
        _under_way[id(self)] = (now + LONGEST_SECONDS if until is None else until, self)
        if os.getpid() not in _thread_of:
            _look_from_now_on()
        return True

    def end(self) -> bool:
        """End a run, and return whether it was stopped."""
        if _under_way.pop(id(self), None) is not None:
            return False
        with _ending:  # the thread that stops it may be about to
            self._library.RunOptionsUnsetTerminate(self.options)
        return True

    def stop(self) -> None:
        self._library.RunOptionsSetTerminate(self.options)


class Within:
    """`with Within(10.0):` has every run of the block, in this thread, end within so many seconds from now.

    An outer block whose time is over before holds too.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._outer: float | None = None

    def __enter__(self) -> None:
        self._outer = getattr(_own, "until", None)
        until = time.monotonic() + self._seconds
        _own.until = until if self._outer is None else min(until, self._outer)

    def __exit__(self, *_: object) -> None:
        _own.until = self._outer


def seconds_left() -> float:
    """Return how long a run of this thread may take."""
    until = getattr(_own, "until", None)
    return LONGEST_SECONDS if until is None else max(0.0, until - time.monotonic())


def guard(library: Library, options: Callable[[Library], RunOptions]) -> Guard:
    """Return the guard of this thread's runs, made with `options` for the first of them."""
    own = getattr(_own, "guard", None)
    if own is None:
        own = _own.guard = Guard(library, options(library))
    return own


def stop_overdue() -> None:
    """Stop every run whose time is over."""
    now = time.monotonic()
    for key, (until, overdue) in list(_under_way.items()):
        if until <= now:
            with _ending:
                if _under_way.pop(key, None) is not None:
                    overdue.stop()


def _look_from_now_on() -> None:
    _thread_of.clear()
    _thread_of[os.getpid()] = _thread.start_new_thread(_look, ())


def _look() -> None:
    while True:
        time.sleep(LOOK_SECONDS)
        stop_overdue()
