"""`live.json` in the store: read by everyone, changed by compare-and-set only."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from functions.core.registry.pointer import Pointer, roll_back, withdraw
from functions.core.storage.objects import Conflict, Objects
from interface import layout

if TYPE_CHECKING:
    from collections.abc import Callable

_ATTEMPTS = 100


class Live:
    """The pointer of one model."""

    def __init__(self, objects: Objects, model: str) -> None:
        self._objects = objects
        self.key = f"{model}/{layout.LIVE}"

    def read(self) -> Pointer:
        """Return the pointer as it stands; an empty one before the first promotion."""
        document = self._objects.find_json(self.key)
        return Pointer() if document is None else Pointer.parse(document)

    def change(self, transition: Callable[[Pointer], Pointer]) -> Pointer:
        """Apply a transition to the pointer as it stands and return what was written.

        Where another writer was faster, the transition is applied again, to what that one wrote.
        It may raise `NotPossible`, or return its argument to change nothing. Raise `Conflict`
        after a hundred attempts that were overtaken.
        """
        for attempt in range(_ATTEMPTS):
            stored = self._objects.read_json(self.key)
            before = Pointer() if stored is None else Pointer.parse(stored[0])
            after = transition(before)
            if after == before:
                return before
            if stored is None:
                if self._objects.create_json(self.key, after.document()):
                    return after
            else:
                try:
                    self._objects.replace_json(self.key, after.document(), stored[1])
                except Conflict:
                    pass
                else:
                    return after
            import random  # noqa: PLC0415 - only a writer that was overtaken needs it

            time.sleep(random.uniform(0, 0.002 * min(attempt + 1, 25)))  # noqa: S311 - so that writers part
        raise Conflict(self.key)

    def roll_back(self, now: float, reason: str) -> Pointer:
        """Make the previous champion live again, for an operator. Raise `NotPossible` where there is none."""
        return self.change(lambda pointer: roll_back(pointer, now, reason))

    def withdraw(self, now: float, reason: str) -> Pointer:
        """End the release under way, for an operator. Raise `NotPossible` where there is none."""
        return self.change(lambda pointer: withdraw(pointer, now, reason))
