"""A thread that begins what is due, whenever something changes or the moment has come."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Dispatcher:
    """Calls `pump` at the beginning, after every notification of `changed`, and at the moment that `pump` names.

    `pump` is called with `changed` held, begins what is due, and returns when to look again, by
    the clock `now`, if that is known.
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
        """Once."""
        self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more; what is under way is left to end. Safe to call twice."""
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
