"""Records of usage: the key of an object holds all of its numbers, so that one list tells of thousands of calls.

A key ends with `<moment>-<unique>` and, for each name, `~<name>_<number>_<number>...`.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from functions.core.runtime.usage import Usage
from interface import layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from functions.core.storage.objects import Objects

NOBODY = "none"
"""The name of what no version answered."""
_BETWEEN, _WITHIN = "~", "_"


def written(usage: Mapping[str, Usage]) -> str:
    """Return usage by name as the end of a key."""
    parts = (_WITHIN.join([name, *(f"{number:.6g}" for number in used)]) for name, used in usage.items())
    return "".join(f"{_BETWEEN}{part}" for part in parts)


def read(key: str) -> Iterator[tuple[str, Usage]]:
    """Yield the usage in a key, by name; nothing for a key that holds none."""
    _, *parts = key.rpartition("/")[2].removesuffix(".jsonl").split(_BETWEEN)
    for part in parts:
        name, *numbers = part.split(_WITHIN)
        if len(numbers) == len(Usage._fields):  # else it is a key of a release that counts otherwise
            with suppress(ValueError):
                yield name, Usage(*map(float, numbers))


def stamp(now: float) -> str:
    """Return the beginning of the name of a record that is written at `now`, in seconds since the epoch."""
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%S}-{os.urandom(8).hex()}"


def day_of(key: str) -> str:
    """Return the day in the name of a record that `note` wrote, as 2026-11-24; empty for any other key."""
    moment = key.rpartition("/")[2].partition("-")[0]
    try:
        return f"{datetime.strptime(moment, '%Y%m%dT%H%M%S').replace(tzinfo=UTC):%Y-%m-%d}"
    except ValueError:
        return ""


def note(objects: Objects, folder: str, usage: Mapping[str, Usage], now: float) -> None:
    """Write a record of usage by name into the folder's `usage/`."""
    objects.put(f"{folder}/{layout.USAGE}{stamp(now)}{written(usage)}", b"")


def add(into: dict[str, Usage], more: Iterable[tuple[str, Usage]]) -> None:
    """Add usage by name to that of each name."""
    for name, used in more:
        into[name] = Usage.total([into[name], used]) if name in into else used
