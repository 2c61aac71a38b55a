"""The captured requests of a day."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.storage.objects import Objects

HOURS = 24
_READERS = 16


def requests_of(captures: Objects, model: str, day: str) -> Iterator[dict[str, Any]]:
    """Yield the records of a day, UTC, that hold rows and the answers to them, as far as they are whole.

    Objects cut off in the writing are passed over.
    """
    with ThreadPoolExecutor(_READERS) as pool:
        for hour in range(HOURS):
            keys = sorted(captures.keys(f"{model}/{day}/{hour:02}"))
            for at in range(0, len(keys), _READERS):
                for content in pool.map(captures.find, keys[at : at + _READERS]):
                    yield from _with_rows(content or b"")


def _with_rows(content: bytes) -> Iterator[dict[str, Any]]:
    for line in content.splitlines():
        if b'"outputs":' not in line:
            continue
        try:
            record = orjson.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and "inputs" in record:
            yield record
