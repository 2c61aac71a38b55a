"""A copy of the captures of some days as Parquet files: each request once, whatever compacts them meanwhile."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from functions.core.registry.capture_index import CaptureDay
from functions.core.storage.objects import Missing, Unreadable
from functions.core.watching import capture_file
from functions.core.watching.captured_columns import columns_of
from functions.core.watching.captured_day import Moved, captured_days, fetched, records_in
from functions.core.watching.compaction import AT_ONCE
from interface.tables import PREDICTIONS
from sml.query.captured import may_be_read
from sml.query.copied import Copied
from sml.query.part_file import PartFile, Span
from sml.query.source import Days, Part, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from functions.core.registry.capture_index import CaptureIndex
    from functions.core.watching.captured_columns import CapturedColumns, Record
    from sml.query.answers import Answers
    from sml.query.engine import Locked
    from sml.query.syntax import Needed
    from sml.stack import Stack

READERS = 32
CONTENTS = ("inputs", "outputs")
"""What a record holds of rows."""


@dataclass(kw_only=True)
class _Planned:
    """A day as its index was when the objects were listed."""

    place: CaptureDay
    index: CaptureIndex
    files: list[tuple[Copied, PartFile]]
    objects: list[Part]


@dataclass(kw_only=True)
class Mirror:
    """The captures of one model, copied into a folder of this machine."""

    stack: Stack
    model: str
    days: Days
    answers: Answers
    engine: Locked
    folder: Path
    needed: Needed
    """What the question is asked of: other columns are left out where they are."""
    damaged: list[str] = field(default_factory=list)
    """The keys of files that are no Parquet."""
    _planned: list[_Planned] = field(default_factory=list)

    def parts(self) -> list[Part]:
        """Return what is to be read: of the files that the index of each day names, and the objects that it does not.

        The ends of the files are read for that.
        """
        captures = self.stack.captures
        days = [day for day in captured_days(captures, self.model) if day in self.days]
        with ThreadPoolExecutor(READERS) as pool:
            self._planned = [self._plan(day, pool) for day in days]
        files = [file for day in self._planned for _, file in day.files]
        columns = self.engine.columns_in([str(file.path) for file in files])
        for file in files:
            file.take(
                Span(start, start + size)
                for column, start, size in columns[str(file.path)]
                if may_be_read(column, self.needed)
            )
        read = [Part(captures, file.key, file.read) for file in files]
        return [*read, *(part for day in self._planned for part in day.objects)]

    def _plan(self, day: str, pool: ThreadPoolExecutor) -> _Planned:
        captures = self.stack.captures
        place = CaptureDay(objects=captures, model=self.model, day=day)
        index = place.index()
        places = [self._place(one.version, day, number) for number, one in enumerate(index.files)]
        begun = pool.map(self._begun, [one.key for one in index.files], [one.path for one in places])
        files = [(copied, file) for copied, file in zip(places, begun, strict=True) if file is not None]
        listed = captures.entries(f"{self.model}/{day}")
        objects = parts_of(captures, (one for one in listed if one.key not in index.pending))
        return _Planned(place=place, index=index, files=files, objects=objects)

    def _begun(self, key: str, path: Path) -> PartFile | None:
        """Return a file whose end is read; None for one that expired, was deleted by hand, or is damaged."""
        found = self.stack.captures.look(key)
        if found is None:
            return None
        file = PartFile(objects=self.stack.captures, key=key, size=found[0], path=path)
        try:
            file.begin()
        except Missing:
            return None
        except Unreadable:
            self.damaged.append(key)
            return None
        return file

    def copy(self) -> list[Copied]:
        """Read the parts, and return the files of the copy.

        Raise `Moved` where a day was compacted since its parts were listed: begin anew with them then.
        """
        return [one for day in self._planned for one in self._copy(day)]

    def _copy(self, planned: _Planned) -> list[Copied]:
        place, index = planned.place, planned.index
        try:
            with ThreadPoolExecutor(READERS) as pool:
                list(pool.map(PartFile.finish, [file for _, file in planned.files]))
        except Missing:
            raise Moved(place.key) from None
        copied = [one for one, _ in planned.files]
        for version, records in self._records(planned):
            one = self._place(version, place.day, len(index.files) + len(copied))
            one.path.parent.mkdir(parents=True, exist_ok=True)
            one.path.write_bytes(capture_file.written(records, self._columns(version)))
            copied.append(one)
        if place.index() != index:
            raise Moved(place.key)
        return copied

    def _records(self, planned: _Planned) -> Iterator[tuple[str, list[Record]]]:
        """Yield the records of a day that no file stands for, by version, as many at once as a file has."""
        if not planned.objects:
            return
        requests_alone = PREDICTIONS.name not in self.needed.tables
        records: dict[str, list[Record]] = defaultdict(list)
        rows = 0
        for _, content in fetched(self.stack.captures, planned.place, planned.index):
            for record in records_in(content or b""):
                rows += 1 if requests_alone else max(1, record.get("rows") or 0)
                if requests_alone:
                    record = {name: value for name, value in record.items() if name not in CONTENTS}  # noqa: PLW2901
                records[str(record.get("version"))].append(record)
            if rows >= AT_ONCE:
                yield from sorted(records.items())
                records, rows = defaultdict(list), 0
        yield from sorted(records.items())

    def _columns(self, version: str) -> CapturedColumns | None:
        try:
            return columns_of(self.answers.card(version))
        except (LookupError, TypeError, ValueError):
            return None

    def _place(self, version: str, day: str, number: int) -> Copied:
        """Return where a file is copied to: what its folders are called tells DuckDB its version and day."""
        folder = self.folder / quote(self.model, safe="") / f"version={quote(version, safe='')}" / f"day={day}"
        return Copied(model=self.model, version=version, day=day, path=folder / f"{number:06}.parquet")
