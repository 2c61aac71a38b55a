"""What is asked once and sent more than once, as a button is that is clicked three times, is done once."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from sml.console.web import Reply

KEPT = 200
"""Replies that are kept for whoever sends the same once more."""


def name() -> str:
    """Return a name for what a form asks for, which no other form has."""
    return secrets.token_urlsafe(12)


class Once:
    """The replies to what was asked, by its name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Any, Future[Reply]] = OrderedDict()

    def reply(self, asked: Any, act: Callable[[], Reply]) -> Reply:
        """Return what `act` returns; for what was asked before, what it returned then, once it has."""
        with self._lock:
            known = asked in self._known
            found = self._known.setdefault(asked, Future())
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        if not known:
            try:
                found.set_result(act())
            except BaseException as problem:
                found.set_exception(problem)
                raise
        return found.result()
