"""Truths: what callers tell later of rows that were answered, one object a batch.

The batch of a day is named by what it holds: whoever sends it twice has told it once. Of two truths of one row the
later counts.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.runtime.digest import sha256
from functions.core.storage.objects import canonical
from interface import layout
from models.moment import DAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from functions.core.storage.objects import Objects

REQUEST, KEY = "request", "key"
"""By what a row is named: the id of its request, or the key that its caller gave with it."""
EARLY_SECONDS = 3600
"""A truth that came so long before its row was answered is another row's, or a clock is off."""
_READERS = 16
Truth = str | float
"""A class by its name, or a number."""


class Row(NamedTuple):
    """The name of one row that was answered."""

    by: str
    """`REQUEST` or `KEY`."""
    name: str
    """The request's id, or the pseudonym of the key, in `KEY_DIGITS` digits."""
    at: int
    """Which of the request's rows it is, from 0."""


class Told(NamedTuple):
    """A truth, and when it came, in seconds since the epoch."""

    at: float
    truth: Truth

    @property
    def day(self) -> str:
        """The day on which it came, UTC."""
        return _day_of(self.at)


class Truths:
    """The truths of one model, in the store of captures."""

    def __init__(self, objects: Objects, model: str) -> None:
        self._objects = objects
        self._folder = f"{model}/{layout.TRUTHS}"

    def tell(self, truths: Sequence[tuple[Row, Truth]], at: float) -> bool:
        """Keep a batch that came `at`, in seconds since the epoch; return whether it is new on this day."""
        told = [[*row, truth] for row, truth in truths]
        name = sha256(canonical(told)).hex()[:32]
        key = f"{self._folder}{_day_of(at)}/{name}.json"
        return self._objects.create_json(key, {"at": round(at, 3), "truths": told})

    def of(self, days: Iterable[str], most: int | None = None) -> Iterator[tuple[Row, Told]]:
        """Yield the truths that came on some days, batch by batch.

        One that was sent again on a later day counts as of the first. Objects that are damaged are passed over. Of
        more than `most` batches an even share is read, by their names, which are digests.
        """
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - whoever tells truths reads none

        first: dict[str, str] = {}
        for day in sorted(days):
            for key in self._objects.keys(f"{self._folder}{day}"):
                first.setdefault(key.rpartition("/")[2], key)
        keys = [first[name] for name in sorted(first)]
        keys = keys[:: -(-len(keys) // most)] if most is not None and len(keys) > most else keys
        with ThreadPoolExecutor(_READERS) as pool:
            for start in range(0, len(keys), _READERS):
                for content in pool.map(self._objects.find, keys[start : start + _READERS]):
                    yield from _read(content or b"")

    def any(self, days: Iterable[str]) -> bool:
        """Return whether a truth came on one of the days."""
        return any(next(iter(self._objects.keys(f"{self._folder}{day}")), None) for day in days)


def _read(content: bytes) -> Iterator[tuple[Row, Told]]:
    try:
        document: Mapping[str, Any] = json.loads(content)
        at = float(document["at"])
        for by, name, place, truth in document["truths"]:
            row, told = Row(str(by), str(name), int(place)), Told(at, truth)
            if not isinstance(truth, str | float | int):
                raise TypeError(f"a truth is no {type(truth).__name__}")
            yield row, told
    except (ValueError, LookupError, TypeError):
        return


def _day_of(at: float) -> str:
    return _day(int(at // DAY))


@lru_cache(maxsize=1024)
def _day(number: int) -> str:
    return f"{datetime.fromtimestamp(number * DAY, UTC):%Y-%m-%d}"
