"""What persons decided about versions: whether each may be released.

Each version has an object of its own, which no function may write: whoever may is who approves.
docs/decisions/0042-a-release-waits-in-the-pointer-for-a-person.md.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from functions.core.storage.objects import Conflict
from interface import layout
from models.light import dataclass

if TYPE_CHECKING:
    from functions.core.storage.objects import Objects

Word = Literal["approved", "rejected"]
WORDS = ("approved", "rejected")
_TEXTS = ("by", "known_by", "at", "reason")


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What one person decided about a version."""

    decision: Word
    by: str
    """Who it was."""
    known_by: str
    """Who says so: the cloud, or the machine on which the person was logged in."""
    at: str
    reason: str

    @property
    def said(self) -> str:
        """Who decided, how that is known, and why: `by ann (login name): enough seen`."""
        return f"by {self.by} ({self.known_by})" + (f": {self.reason}" if self.reason else "")

    def document(self) -> dict[str, Any]:
        return {"decision": self.decision, **{name: getattr(self, name) for name in _TEXTS}}


class Approvals:
    """The decisions about versions of one model."""

    def __init__(self, objects: Objects, model: str) -> None:
        self._objects = objects
        self._folder = f"{model}/{layout.APPROVALS}"

    def key(self, version: str) -> str:
        return f"{self._folder}{version}.json"

    def find(self, version: str) -> Decision | None:
        """Return the newest decision about a version; None where there is none, or the object is damaged."""
        stored = self._objects.find(self.key(version))
        return None if stored is None else next(iter(decisions_in(stored)[::-1]), None)

    def note(self, version: str, decision: Decision) -> None:
        """Write a decision after those that were there. Raise `Forbidden`."""
        key = self.key(version)
        while True:
            stored = self._objects.read(key)
            known = [] if stored is None else decisions_in(stored[0])
            document = {"version": version, "decisions": [one.document() for one in (*known, decision)]}
            if stored is None:
                if self._objects.create_json(key, document):
                    return
                continue
            try:
                self._objects.replace_json(key, document, stored[1])
            except Conflict:
                continue
            return


def decisions_in(stored: bytes) -> list[Decision]:
    """Return the decisions in an object, the newest last; none where one of them is no decision."""
    try:
        entries = json.loads(stored)["decisions"]
        found = [Decision(**{name: entry[name] for name in ("decision", *_TEXTS)}) for entry in entries]
    except (ValueError, LookupError, TypeError, RecursionError):
        return []
    whole = all(one.decision in WORDS and all(isinstance(getattr(one, name), str) for name in _TEXTS) for one in found)
    return found if whole else []
