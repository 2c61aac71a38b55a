"""The keys of objects: what a list tells of each, and which of them the store's client does not take as they stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Self

from models.light import dataclass

if TYPE_CHECKING:
    from datetime import datetime

    from obstore import ObjectMeta

ODD = re.compile(r"^$|^/|/$|//|(^|/)\.{1,2}(/|$)|[\x00-\x1f\x7f]")
"""What is in every odd key, and in no other."""

DIGITS = 20
"""To which numbers in keys are filled up, so that they sort by their value."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An object, by all that is known without reading it."""

    key: str
    size: int
    """Bytes."""
    modified: datetime
    """When it was written, to the second where the store tells no more."""

    @classmethod
    def of(cls, meta: ObjectMeta) -> Self:
        return cls(key=meta["path"], size=meta["size"], modified=meta["last_modified"])


def in_order(key: str) -> str:
    """Return a text by which keys sort as people count: `9.csv` before `10.csv`."""
    return re.sub(r"[0-9]+", lambda number: number[0].zfill(DIGITS), key)


class OddKey(ValueError):
    """A key that cannot be read. The text shows it, and says what is wrong with it."""

    def __init__(self, key: str) -> None:
        super().__init__(f"{key!r} is a key that cannot be read: {_fault_of(key)}")


def _fault_of(key: str) -> str:
    segments = key.split("/")
    if "" in segments:
        return "it begins or ends with a slash, or has two in a row"
    if "." in segments or ".." in segments:
        return "one of its folders is . or .."
    return "it has a control character"
