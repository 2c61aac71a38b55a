"""What was captured of one model on one day, UTC, wherever it is: in files, in the objects that it was written in."""

from __future__ import annotations

from collections import defaultdict, deque
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING, TypeVar

import orjson

from functions.core.registry.capture_index import HOURS, CaptureDay
from functions.core.watching import capture_file, capture_requests
from interface import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from functions.core.registry.capture_index import CaptureIndex
    from functions.core.storage.objects import Objects
    from functions.core.watching.captured_columns import CapturedColumns, Record
    from functions.core.watching.captured_rows import CapturedRows

    Columns = Callable[[str], CapturedColumns | None]
    """Returns the columns of a version; None where nothing is known of it."""

READERS = 64
AHEAD = 2 * READERS
"""Objects that are on their way, or here and not looked at yet."""
AT_ONCE = 20_000
"""Rows that are held before they become columns."""
LOOKS = 5
"""How often a day is read anew whose files were being made meanwhile."""


Result = TypeVar("Result")


class Moved(Exception):
    """The files of a day were made while it was read: what was read may be there twice, or not at all."""


class CapturedDay:
    """Reads a day. What is written while it is read may be among it or not; nothing is among it twice."""

    def __init__(
        self,
        captures: Objects,
        model: str,
        day: str,
        columns: Columns,
        *,
        roles: Collection[str] = (),
        answers: bool = False,
    ) -> None:
        """`columns` returns those of a version.

        With `roles` rows are those that were answered in these alone. With `answers` those are among them that a
        challenger failed on, under the version whose answer the caller got.
        """
        self._captures = captures
        self._day = CaptureDay(objects=captures, model=model, day=day)
        self._columns = columns
        self._roles = roles
        self._answers = answers
        self.unread = 0
        """Requests whose rows are captured, and in no known columns: of versions that are gone, or of another shape."""
        self.unread_rows = 0
        """The rows that these requests had."""

    def rows(self) -> Iterator[tuple[str, CapturedRows]]:
        """Yield rows by version, in parts. Raise `Moved`: begin anew then.

        Objects cut off in the writing are passed over.
        """
        self.unread = self.unread_rows = 0
        index = self._day.index()
        for one in index.files:
            content = self._captures.find(one.key)
            if content is None:
                self._require(index)
                continue  # deleted by hand, or expired
            columns = self._columns(one.version)
            if columns is None:
                self._pass_over(*capture_requests.in_columns(content))
                if not self._answers:
                    self._pass_over(*capture_requests.not_in_columns(content))
            else:
                rows, unread = capture_file.rows_of(content, columns, self._roles)
                if not self._answers:
                    self._pass_over(*unread)
                if rows.rows:
                    yield one.version, rows
            if self._answers:
                yield from self._of_records(capture_requests.others_of(content, one.version))
        yield from self._of_records(with_rows(self.objects(index)))
        self._require(index)

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield by which names each request goes whose rows are captured: its id, and its key or "". Raise `Moved`."""
        index = self._day.index()
        for one in index.files:
            if (content := self._captures.find(one.key)) is not None:
                yield from capture_requests.names_of(content)
        for record in with_rows(self.objects(index)):
            yield str(record.get("request", "")), str(record.get("key", ""))
        self._require(index)

    def _of_records(self, records: Iterator[Record]) -> Iterator[tuple[str, CapturedRows]]:
        held: dict[str, list[Record]] = defaultdict(list)
        number = 0
        for record in records:
            has_failed = bool(record.get("error"))
            if (self._roles and record.get("variant") not in self._roles) or (has_failed and not self._answers):
                continue
            # What a challenger failed on holds the champion's answer, under the challenger's name.
            version = record.get("answered_by" if has_failed else "version")
            columns = self._columns(version) if isinstance(version, str) else None
            if columns is None or not columns.fits(record):
                self._pass_over(1, record.get("rows") or 1)
                continue
            held[str(version)].append(record)
            number += record.get("rows") or max(1, len(record["inputs"]))
            if number >= AT_ONCE:
                yield from self._read(held)
                number = 0
        yield from self._read(held)

    def _pass_over(self, requests: int, rows: int) -> None:
        self.unread += requests
        self.unread_rows += rows

    def _read(self, held: dict[str, list[Record]]) -> Iterator[tuple[str, CapturedRows]]:
        for version, records in held.items():
            columns = self._columns(version)
            assert columns is not None  # noqa: S101 - records of others are not held
            yield version, columns.read(records)
        held.clear()

    def records(self) -> list[Record]:
        """Return what is known of each request, without its rows where they are in a file. Raise `Moved`."""
        index = self._day.index()
        found: list[Record] = []
        for one in index.files:
            if (content := self._captures.find(one.key)) is not None:
                found += capture_requests.records_of(content, one.version)
        for content in self.objects(index):
            found += records_in(content)
        self._require(index)
        return found

    def objects(self, index: CaptureIndex) -> Iterator[bytes]:
        """Yield what is in the objects that no file stands for, hour by hour."""
        for _, content in fetched(self._captures, self._day, index):
            yield content or b""

    def _require(self, index: CaptureIndex) -> None:
        if self._day.index() != index:
            raise Moved(self._day.key)


def fetched(captures: Objects, day: CaptureDay, index: CaptureIndex) -> Iterator[tuple[str, bytes | None]]:
    """Yield the objects of a day that no file stands for, in order; None for the content of one that is gone.

    While one is looked at, the next ones are on their way: a store takes long to begin to answer.
    """
    waiting: deque[tuple[str, Future[bytes | None]]] = deque()
    with ThreadPoolExecutor(READERS) as pool:
        for hour in range(HOURS):
            for key in day.hour(hour, index):
                waiting.append((key, pool.submit(captures.find, key)))
                if len(waiting) > AHEAD:
                    first, content = waiting.popleft()
                    yield first, content.result()
        while waiting:
            first, content = waiting.popleft()
            yield first, content.result()


def captured_days(captures: Objects, model: str) -> list[str]:
    """Return the days of which something is captured, sorted."""
    return sorted({*indexed_days(captures, model), *filter(is_day, captures.folders(f"{model}/"))})


def indexed_days(captures: Objects, model: str) -> list[str]:
    """Return the days of which there are files, or an index without any, sorted."""
    keys = captures.keys(f"{model}/{layout.CAPTURE_INDEX}".rstrip("/"))
    return sorted(filter(is_day, (key.rpartition("/")[2].removesuffix(".json") for key in keys)))


def is_day(name: str) -> bool:
    """Return whether a folder is called like a day, as 2026-11-24."""
    try:
        return date.fromisoformat(name).isoformat() == name
    except ValueError:
        return False


def again(read: Callable[[], Result]) -> Result:
    """Return what a reader of a day returns, read anew while the files of the day are being made. Raise `Moved`."""
    for _ in range(LOOKS - 1):
        try:
            return read()
        except Moved:
            continue
    return read()


def records_in(content: bytes, having: bytes = b"") -> Iterator[Record]:
    """Yield the records of an object whose lines have a text; those cut off in the writing are passed over."""
    for line in content.splitlines():
        if having not in line:
            continue
        try:
            record = orjson.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            yield record


def with_rows(contents: Iterator[bytes]) -> Iterator[Record]:
    """Yield the records that hold the rows of a caller, and the answers to them."""
    for content in contents:
        yield from (record for record in records_in(content, b'"inputs":') if "outputs" in record)
