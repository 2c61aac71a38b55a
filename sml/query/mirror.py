"""A copy of the captures of some days as Parquet files: each request once, whatever compacts them meanwhile."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from functions.core.registry.capture_index import CaptureDay
from functions.core.watching import capture_file
from functions.core.watching.captured_columns import columns_of
from functions.core.watching.captured_day import Moved, captured_days, fetched, records_in
from functions.core.watching.compaction import AT_ONCE
from sml.query.source import Days, Part, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from functions.core.registry.capture_index import CaptureIndex
    from functions.core.watching.captured_columns import CapturedColumns, Record
    from sml.query.answers import Answers
    from sml.stack import Stack

READERS = 32


@dataclass(frozen=True, kw_only=True)
class Copied:
    """A file of the copy: what was captured of one version on one day."""

    model: str
    version: str
    day: str
    path: Path


@dataclass(kw_only=True)
class _Planned:
    """A day as its index was when the objects were listed."""

    place: CaptureDay
    index: CaptureIndex
    files: list[Part]
    objects: list[Part]


@dataclass(kw_only=True)
class Mirror:
    """The captures of one model, copied into a folder of this machine."""

    stack: Stack
    model: str
    days: Days
    answers: Answers
    _planned: list[_Planned] = field(default_factory=list)

    def parts(self) -> list[Part]:
        """Return what is to be read: the files that the index of each day names, and the objects that it does not."""
        captures = self.stack.captures
        days = [day for day in captured_days(captures, self.model) if day in self.days]
        with ThreadPoolExecutor(READERS) as pool:
            self._planned = list(pool.map(self._plan, days))
        return [part for day in self._planned for part in (*day.files, *day.objects)]

    def _plan(self, day: str) -> _Planned:
        captures = self.stack.captures
        place = CaptureDay(objects=captures, model=self.model, day=day)
        index = place.index()
        sizes = {one.key: captures.look(one.key) for one in index.files}
        files = [Part(captures, key, found[0]) for key, found in sizes.items() if found is not None]
        listed = captures.entries(f"{self.model}/{day}")
        objects = parts_of(captures, (one for one in listed if one.key not in index.pending))
        return _Planned(place=place, index=index, files=files, objects=objects)

    def copy(self, folder: Path) -> list[Copied]:
        """Read the parts, and write them into a folder.

        Raise `Moved` where a day was compacted since its parts were listed: begin anew with them then.
        """
        return [one for day in self._planned for one in self._copy(day, folder)]

    def _copy(self, planned: _Planned, folder: Path) -> list[Copied]:
        place, index = planned.place, planned.index
        versions = {one.key: one.version for one in index.files}
        copied: list[Copied] = []
        with ThreadPoolExecutor(READERS) as pool:
            keys = [part.key for part in planned.files]
            for key, content in zip(keys, pool.map(self.stack.captures.find, keys), strict=True):
                if content is not None:  # else it expired, or was deleted by hand
                    copied.append(self._written(folder, versions[key], place.day, len(copied), content))
        for version, records in self._records(planned):
            content = capture_file.written(records, self._columns(version))
            copied.append(self._written(folder, version, place.day, len(copied), content))
        if place.index() != index:
            raise Moved(place.key)
        return copied

    def _records(self, planned: _Planned) -> Iterator[tuple[str, list[Record]]]:
        """Yield the records of a day that no file stands for, by version, as many at once as a file has."""
        if not planned.objects:
            return
        records: dict[str, list[Record]] = defaultdict(list)
        rows = 0
        for _, content in fetched(self.stack.captures, planned.place, planned.index):
            for record in records_in(content or b""):
                records[str(record.get("version"))].append(record)
                rows += max(1, record.get("rows") or 0)
            if rows >= AT_ONCE:
                yield from sorted(records.items())
                records, rows = defaultdict(list), 0
        yield from sorted(records.items())

    def _columns(self, version: str) -> CapturedColumns | None:
        try:
            return columns_of(self.answers.card(version))
        except (LookupError, TypeError, ValueError):
            return None

    def _written(self, folder: Path, version: str, day: str, number: int, content: bytes) -> Copied:
        place = folder / quote(self.model, safe="") / f"version={quote(version, safe='')}" / f"day={day}"
        place.mkdir(parents=True, exist_ok=True)
        path = place / f"{number:06}.parquet"
        path.write_bytes(content)
        return Copied(model=self.model, version=version, day=day, path=path)
