"""What differs between two values of JSON, down to the smallest part: a resource's inputs, a stack's settings."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

ABSENT: Final = object()
"""Stands for a value that is not there."""
SECRET: Final = re.compile(r"secret|token|passw|credential|private_?key", re.IGNORECASE)
"""Names of values that are not shown, also where somebody stated them in plain text."""
DIGEST: Final = re.compile(r"[0-9a-f]{32,64}|[0-9A-Za-z+/]{43}=")
"""What names a file by its content: SHA-256 in hexadecimal or in base64, or the name of an archive."""
ALIKE: Final = 0.5
"""The share of equal values from which on two objects of a list count as one that was changed."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One value that differs."""

    path: str
    """Where it is: `environment.variables.LOG_LEVEL`, `policy.Statement[2].Resource`."""
    before: object
    """`ABSENT` where it is new."""
    after: object
    """`ABSENT` where it is gone."""

    @property
    def secret(self) -> bool:
        """Whether its value is not to be shown."""
        return SECRET.search(self.path) is not None

    @property
    def content(self) -> bool:
        """Whether both name a file by its content, and differ in nothing else."""
        if not isinstance(self.before, str) or not isinstance(self.after, str):
            return False
        return DIGEST.sub("", self.before) == DIGEST.sub("", self.after)


def edits(before: object, after: object, path: str = "") -> Iterator[Edit]:
    """Yield what differs between two values, in the order of its paths.

    A text that holds JSON, also in base64, is compared as what it holds. Of two lists, what only one of them has is
    said to be gone or new, and their order where nothing else differs.
    """
    before, after = _opened(before, after)
    if ABSENT in (before, after):
        # Of an object that one side has alone, each value is told.
        before, after = (
            {} if one is ABSENT and _filled(other) else one for one, other in ((before, after), (after, before))
        )
    match before, after:
        case Mapping(), Mapping():
            for key in sorted({*before, *after}):
                yield from edits(before.get(key, ABSENT), after.get(key, ABSENT), f"{path}.{key}" if path else str(key))
        case list(), list():
            yield from _of_lists(before, after, path)
        case _ if before != after or isinstance(before, bool) != isinstance(after, bool):
            yield Edit(path=path, before=before, after=after)


def _opened(before: object, after: object) -> tuple[object, object]:
    """Return what two texts hold, where both hold JSON; else the two as they are."""
    if isinstance(before, str) and isinstance(after, str) and before != after:
        held = (_json(before), _json(after))
        if ABSENT not in held:
            return held
    return before, after


def _filled(found: object) -> bool:
    return isinstance(found, Mapping) and bool(found)


def _json(text: str) -> object:
    if not text.startswith(("{", "[")):
        try:
            text = base64.b64decode(text, validate=True).decode()
        except ValueError:
            return ABSENT
    try:
        found = json.loads(text)
    except ValueError:
        return ABSENT
    return found if isinstance(found, dict | list) else ABSENT


def _of_lists(before: Sequence[Any], after: Sequence[Any], path: str) -> Iterator[Edit]:
    gone, new = _without(before, after), _without(after, before)
    if not gone and not new:
        if before != after:
            yield Edit(path=f"{path} (their order)", before=list(before), after=list(after))
        return
    for position, value in list(gone):
        twin = max(new, key=lambda other: _likeness(value, other[1]), default=None)
        if twin is not None and _likeness(value, twin[1]) >= ALIKE:
            gone.remove((position, value))
            new.remove(twin)
            yield from edits(value, twin[1], f"{path}[{twin[0]}]")
    yield from (Edit(path=f"{path}[]", before=value, after=ABSENT) for _, value in gone)
    yield from (Edit(path=f"{path}[]", before=ABSENT, after=value) for _, value in new)


def _without(values: Sequence[Any], others: Sequence[Any]) -> list[tuple[int, Any]]:
    """Return what the others lack, each as often as they lack it, with its position."""
    left = [json.dumps(other, sort_keys=True) for other in others]
    found = []
    for position, value in enumerate(values):
        key = json.dumps(value, sort_keys=True)
        if key in left:
            left.remove(key)
        else:
            found.append((position, value))
    return found


def _likeness(one: object, other: object) -> float:
    """Return the share of keys under which two objects have the same value, an object among them by its own share.

    It is 1 for equal values, and 0 for others that are no objects.
    """
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return float(one == other)
    keys = {*one, *other}
    return sum(_likeness(one.get(key, ABSENT), other.get(key, ABSENT)) for key in keys) / max(len(keys), 1)
