"""Compaction: a day that is over becomes a few Parquet files, in place of the many objects that it was written in.

Whatever happens meanwhile, each request is there once: files are written first, the index then names them and the
objects that they stand for in one conditional write, and only then are these objects removed. A call that was cut
off is carried on by the next one.
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from functions.core.registry.capture_index import CaptureDay, CaptureFile
from functions.core.registry.live_pointer import Live
from functions.core.release.outcomes import Outcomes
from functions.core.storage.objects import Conflict
from functions.core.watching import capture_file
from functions.core.watching.captured_day import fetched, indexed_days, is_day, records_in
from interface import layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from functions.core.registry.capture_index import CaptureIndex
    from functions.core.storage.objects import Objects
    from functions.core.watching.captured_columns import Record
    from functions.core.watching.captured_day import Columns

AT_ONCE = 50_000
"""Rows after which a part ends: so many lines, and no more than those of one more object, a file has."""


class Compaction:
    """Compacts the captures of one model."""

    def __init__(self, captures: Objects, model: str, columns: Columns, *, at_once: int = AT_ONCE) -> None:
        """`columns` returns those of a version; None where it is gone."""
        self._captures = captures
        self._model = model
        self._columns = columns
        self._at_once = at_once

    def days(self, today: str) -> list[str]:
        """Return the days before today that are not compacted, or not wholly, sorted."""
        found = filter(is_day, self._captures.folders(f"{self._model}/"))
        return sorted(day for day in found if day < today)

    def compact(self, day: str) -> int:
        """Compact a day, and return how many objects were removed. A day that is compacted stays as it is.

        Raise `Conflict` where another call compacts it: what that one has done stays.
        """
        place = CaptureDay(objects=self._captures, model=self._model, day=day)
        index, tag = place.read()
        index = replace(index, turn=os.urandom(8).hex())
        # From here on the index says whose turn it is: whoever began before writes it no more, and removes nothing.
        tag = place.write(index, tag)
        removed = self._remove(index.pending)
        self._tidy(place, index)
        for number, (keys, records) in enumerate(self._parts(place, index)):
            name = f"{index.turn}-{number:04}"
            files = [self._write(place, name, version, own) for version, own in sorted(records.items())]
            index = index.with_these(files, keys)
            tag = place.write(index, tag)
            removed += self._remove(index.pending)
        if index.pending:
            place.write(replace(index, pending=frozenset()), tag)
        return removed

    def expire(self, before: str) -> list[str]:
        """Remove the files of days before a day, and return these days."""
        gone = [day for day in indexed_days(self._captures, self._model) if day < before]
        for day in gone:
            place = CaptureDay(objects=self._captures, model=self._model, day=day)
            self._remove(self._files(day))
            self._remove([place.key])
        return gone

    def _parts(self, place: CaptureDay, index: CaptureIndex) -> Iterator[tuple[list[str], dict[str, list[Record]]]]:
        """Yield objects that no file stands for, with what is in them by version, in parts."""
        keys: list[str] = []
        records: dict[str, list[Record]] = defaultdict(list)
        rows = 0
        for key, content in fetched(self._captures, place, index):
            if content is None:
                continue  # expired meanwhile
            keys.append(key)
            for record in records_in(content):
                records[str(record.get("version"))].append(record)
                rows += max(1, record.get("rows") or 0)
            if rows >= self._at_once:
                yield keys, records
                keys, records, rows = [], defaultdict(list), 0
        if keys:
            yield keys, records

    def _write(self, place: CaptureDay, name: str, version: str, records: list[Record]) -> CaptureFile:
        """Write what is captured of a version in a part, under a name that no other call gives."""
        one = CaptureFile(key=place.file_key(version, name), version=version, requests=len(records))
        self._captures.put(one.key, capture_file.written(records, self._columns(version)))
        return one

    def _tidy(self, place: CaptureDay, index: CaptureIndex) -> None:
        """Remove files that the index does not name: a call was cut off before it did, and their objects are there.

        Whoever takes a turn says so in the index before it writes a file. So as long as this is the turn, files that
        were there a moment ago are of calls whose turn is over, and nobody will name them any more.
        """
        known = {one.key for one in index.files}
        unknown = [key for key in self._files(place.day) if key not in known]
        if unknown:
            if place.index() != index:
                raise Conflict(place.key)
            self._remove(unknown)

    def _files(self, day: str) -> list[str]:
        folder = f"{self._model}/{layout.CAPTURE_FILES}"
        return [
            key for name in self._captures.folders(folder) for key in self._captures.keys(f"{folder}{name}/day={day}")
        ]

    def _remove(self, keys: Sequence[str] | frozenset[str]) -> int:
        if keys:
            self._captures.remove(sorted(keys))
        return len(keys)


def settled_before(models: Objects, model: str, today: str) -> str:
    """Return the day before which no release under way reads captures any more; today where there is none."""
    pointer = Live(models, model).read()
    release = pointer.release
    if release is None:
        return today
    counted = Outcomes.of(pointer.counted, release.since)
    first = min(release.since, counted.since, counted.until)
    return min(today, f"{datetime.fromtimestamp(first, UTC):%Y-%m-%d}")


def kept_from(today: date, days: int) -> str:
    """Return the first day of which captures are kept for so many days."""
    return f"{today - timedelta(days=days):%Y-%m-%d}"
