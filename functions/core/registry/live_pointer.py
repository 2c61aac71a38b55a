"""`live.json` in the store: read by everyone, changed by compare-and-set only."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from functions.core.registry.pointer import Pointer, roll_back, withdraw
from functions.core.storage.objects import Conflict, Objects

if TYPE_CHECKING:
    from collections.abc import Callable

_ATTEMPTS = 100


class Live:
    """The pointer of one model."""

    def __init__(self, objects: Objects, model: str) -> None:
        self._objects = objects
        self.key = f"{model}/live.json"

    def read(self) -> Pointer:
        """The pointer as it stands; an empty one before the first promotion."""
        found = self._objects.find_json(self.key)
        return Pointer() if found is None else Pointer.parse(found)

    def change(self, transition: Callable[[Pointer], Pointer]) -> Pointer:
        """Apply a transition to the pointer as it stands and return what was written.

        When somebody else was faster, the transition is asked again, on what they wrote: it
        may raise `NotPossible`, or return its argument to change nothing. Raises `Conflict`
        when a hundred attempts were overtaken.
        """
        for attempt in range(_ATTEMPTS):
            found = self._objects.read_json(self.key)
            before = Pointer() if found is None else Pointer.parse(found[0])
            after = transition(before)
            if after == before:
                return before
            if found is None:
                if self._objects.create_json(self.key, after.document()):
                    return after
            else:
                try:
                    self._objects.replace_json(self.key, after.document(), found[1])
                except Conflict:
                    pass
                else:
                    return after
            import random  # noqa: PLC0415 - only who was overtaken pays for it

            time.sleep(random.uniform(0, 0.002 * min(attempt + 1, 25)))  # noqa: S311 - to step out of each other's way
        raise Conflict(self.key)

    def roll_back(self, now: float, reason: str) -> Pointer:
        """An operator's way back to the previous champion. Raises `NotPossible` when there is none."""
        return self.change(lambda pointer: roll_back(pointer, now, reason))

    def withdraw(self, now: float, reason: str) -> Pointer:
        """An operator's end to the release under way. Raises `NotPossible` when there is none."""
        return self.change(lambda pointer: withdraw(pointer, now, reason))
