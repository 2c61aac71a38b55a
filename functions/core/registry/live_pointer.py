"""`live.json` in the store: read by everyone, changed by compare-and-set only."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from functions.core.registry.pointer import NotPossible, Pointer, roll_back, withdraw
from functions.core.storage.objects import Conflict, Forbidden, Objects, Unreadable
from interface import layout

if TYPE_CHECKING:
    from collections.abc import Callable

_ATTEMPTS = 100
REPAIR = "registry verify --repair"
"""What writes a damaged pointer anew."""


class UnreadablePointer(Unreadable):
    """`live.json` holds something else than a live pointer. The text names its key, and what writes it anew."""


class Live:
    """The pointer of one model.

    A refused read never passes for a pointer that is not there:
    docs/decisions/0017-a-refused-read-is-not-a-missing-object.md.
    """

    def __init__(self, objects: Objects, model: str) -> None:
        self._objects = objects
        self._versions = f"{model}/{layout.VERSIONS}"
        self.key = f"{model}/{layout.LIVE}"

    def read(self) -> Pointer:
        """Return the pointer as it stands; an empty one before the first promotion.

        Raise `Forbidden` and `UnreadablePointer`.
        """
        try:
            stored = self._objects.find(self.key)
        except Forbidden:
            if not self._objects.shows_empty(self._versions):
                raise
            # Nothing was registered yet that a pointer could name.
            stored = None
        return Pointer() if stored is None else self._parse(stored)

    def change(self, transition: Callable[[Pointer], Pointer]) -> Pointer:
        """Apply a transition to the pointer as it stands and return what was written.

        Where another writer was faster, the transition is applied again, to what that one wrote.
        It may raise `NotPossible`, or return its argument to change nothing. Raise `Conflict`
        after a hundred attempts that were overtaken, `Forbidden` and `UnreadablePointer`.
        """
        for attempt in range(_ATTEMPTS):
            try:
                stored = self._objects.read(self.key)
            except Forbidden as refusal:
                return self._change_first(transition, refusal)
            before = Pointer() if stored is None else self._parse(stored[0])
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

    def names_champion(self) -> bool:
        """Return whether the pointer can be read and names a champion."""
        try:
            return self.read().champion is not None
        except UnreadablePointer:
            return False

    def _parse(self, stored: bytes) -> Pointer:
        try:
            return Pointer.parse(json.loads(stored))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as problem:
            why = "its bytes are not JSON" if isinstance(problem, ValueError) else "it is no live pointer"
            raise UnreadablePointer(f"{self.key} is damaged: {why}; `{REPAIR}` writes it anew") from None

    def _change_first(self, transition: Callable[[Pointer], Pointer], refusal: Forbidden) -> Pointer:
        """Write the first pointer, where reading one is refused: it is created only if there is none.

        Raise the refusal for anything else, since there may be a pointer.
        """
        try:
            after = transition(Pointer())
        except NotPossible:
            raise refusal from None
        if after == Pointer() or not self._objects.create_json(self.key, after.document()):
            raise refusal
        return after

    def roll_back(self, now: float, reason: str) -> Pointer:
        """Make the previous champion live again, for an operator. Raise `NotPossible` where there is none."""
        return self.change(lambda pointer: roll_back(pointer, now, reason))

    def withdraw(self, now: float, reason: str) -> Pointer:
        """End the release under way, for an operator. Raise `NotPossible` where there is none."""
        return self.change(lambda pointer: withdraw(pointer, now, reason))
