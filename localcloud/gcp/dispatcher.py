"""A thread that starts what is due, at known times and after every change."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Dispatcher:
    """Calls `pump` at the start, after every notification of `changed`, and at the time that `pump` returns.

    `pump` is called while `changed` is held. It starts what is due and returns the time, in
    seconds by the clock `now`, at which to call it again; None waits for a notification.
    """

    def __init__(
        self, name: str, changed: threading.Condition, pump: Callable[[], float | None], now: Callable[[], float]
    ) -> None:
        self._name = name
        self._changed = changed
        self._pump = pump
        self._now = now
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread. To be called once."""
        self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Start nothing more; what is under way ends by itself. Safe to call twice."""
        with self._changed:
            thread, self._thread = self._thread, None
            self._changed.notify_all()
        if thread:
            thread.join()

    def _loop(self) -> None:
        while True:
            with self._changed:
                if self._thread is not threading.current_thread():
                    return
                due = self._pump()
                self._changed.wait(None if due is None else max(0.0, due - self._now()))
