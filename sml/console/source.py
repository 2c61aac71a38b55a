"""Where pages read: the stack, its records, its captures, found anew where it was started again."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from obstore.exceptions import BaseError

from functions.core.storage import store_url
from functions.core.storage.objects import Forbidden, Missing, Unreadable
from sml.console.captured import Captured
from sml.mistake import Mistake
from sml.records import Records
from sml.stack import NO_CAPTURES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.storage.objects import Objects
    from sml.stack import Stack
    from sml.typed import Typed

FRESH_SECONDS = 2.0
"""How long the process of a stack that is up here is not asked again."""


class Source:
    """Finds the stack, and opens what belongs to it."""

    def __init__(self, find: Callable[[], Stack], typed: Typed) -> None:
        """`typed` writes a command for the stack that `find` finds."""
        self._find = find
        self.typed = typed
        self._lock = threading.Lock()
        self._stack: Stack | None = None
        self._captures: tuple[str, Objects, Captured] | None = None
        self._found_at = float("-inf")

    @property
    def stack(self) -> Stack:
        """The stack as it is now. Raise `Unreachable` where it is not up any more."""
        with self._lock:
            known, now = self._stack, time.monotonic()
            # That of an account is found by the Pulumi CLI, which takes seconds, and stays where it is.
            if known is not None and (known.here is None or now - self._found_at < FRESH_SECONDS):
                return known
            found = self._find()
            self._found_at = now
            # One that is the same keeps its open stores.
            if known is None or _identity(found) != _identity(known):
                self._stack, self._captures = found, None
                return found
            return known

    def records(self, model: str) -> Records:
        """Return the records of a model. Raise `Mistake` for one that the stack does not serve."""
        return self.stack.records(model)

    @property
    def captures(self) -> Objects:
        """The store of captures. Raise `Mistake` where nothing tells which that is."""
        return self._opened()[1]

    @property
    def captured(self) -> Captured:
        """The captures in it. Raise as `captures` does."""
        return self._opened()[2]

    def _opened(self) -> tuple[str, Objects, Captured]:
        stack = self.stack
        url = stack.outputs.get("captures_url")
        if url is None:
            raise Mistake(NO_CAPTURES)
        with self._lock:
            if self._captures is None or self._captures[0] != url:
                store = store_url.open_store(url, options=stack.options or None, patience_seconds=15)
                self._captures = url, store, Captured(store)
            return self._captures

    @property
    def resources(self) -> list[Mapping[str, Any]]:
        """The resources of a stack that is up here, each by type, name and id; none of one in an account."""
        here = self.stack.here
        return [] if here is None else here.ask("resources")["resources"]


def _identity(stack: Stack) -> tuple[Any, ...]:
    return stack.outputs, stack.options, vars(stack.here) if stack.here else None


def sentence(problem: Exception, typed: Typed) -> tuple[int, str]:
    """Return the status and the one sentence that a page says of what went wrong; `typed` writes a command."""
    match problem:
        case Mistake():
            return (503 if problem.code != 1 else 409), str(problem)
        case BaseError() | Forbidden() | Unreadable() | Missing():
            return 503, f"the store cannot be used: {' '.join(str(problem).split())[:300]}"
        case OSError():
            return 503, f"the stack cannot be asked: {problem.strerror or type(problem).__name__}"
        case LookupError() | TypeError() | ValueError() | AttributeError():
            verify = typed("registry", "verify")
            return 500, f"a record is damaged, or of another release ({type(problem).__name__}): `{verify}`"
    return 500, f"this page could not be made ({type(problem).__name__}): see the terminal of the console"
