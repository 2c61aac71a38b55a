"""What a table is made of: objects of the stack's stores, listed before any is read, and the rows in them."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from functions.core.storage.keys import Entry
    from functions.core.storage.objects import Objects
    from sml.stack import Stack

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Days:
    """The days that are asked for, UTC, each as 2026-11-24."""

    all: Sequence[str]
    """In order, without a gap."""

    @property
    def first(self) -> str:
        return self.all[0]

    @property
    def last(self) -> str:
        return self.all[-1]

    def __contains__(self, day: object) -> bool:
        return isinstance(day, str) and self.first <= day <= self.last


class Part(NamedTuple):
    """An object that is to be read."""

    objects: Objects
    key: str
    size: int
    """Bytes."""


@dataclass(kw_only=True)
class Source(ABC):
    """The objects of one model that a table is made of."""

    stack: Stack
    model: str
    days: Days
    damaged: list[str] = field(default_factory=list)
    """The keys of objects that cannot be read."""

    @abstractmethod
    def parts(self) -> list[Part]:
        """Return the objects that are to be read, from lists alone."""

    @abstractmethod
    def rows(self, contents: Mapping[str, bytes]) -> Iterator[Row]:
        """Yield the rows of the days, of the content of these objects by key."""

    def document(self, contents: Mapping[str, bytes], key: str) -> Row | None:
        """Return the JSON object under a key; None where it is gone, or is damaged, which is noted."""
        content = contents.get(key)
        if content is None:
            return None
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            self.damaged.append(key)
            return None
        return found


def parts_of(objects: Objects, entries: Iterator[Entry] | Sequence[Entry]) -> list[Part]:
    """Return objects of a list as parts."""
    return [Part(objects, entry.key, entry.size) for entry in entries]


def day_in(key: str) -> str:
    """Return the day that an object is called by: 2026-11-24.json."""
    return key.rpartition("/")[2].partition(".")[0]
