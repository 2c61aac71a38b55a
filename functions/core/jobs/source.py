"""Read the input of a job, in the state in which the job began."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.http.json_codec import text_of
from functions.core.http.problem import Problem
from functions.core.jobs.job import Format
from functions.core.jobs.row_reader import Lines, csv_header, csv_rows, json_rows, request_rows
from functions.core.storage.objects import Missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.jobs.job import Job
    from functions.core.jobs.row_reader import Row
    from functions.core.serving.servable import Servable
    from functions.core.storage.objects import Objects, Tag

BLOCK_BYTES = 4_000_000
"""How much of a file is read at once."""


class JobInput:
    """The input of one job, in one state of `size` bytes."""

    def __init__(self, objects: Objects, job: Job, *, size: int, state: Tag) -> None:
        """Raise `Problem` 413 for an input that is too large, without reading it."""
        if size > job.format.largest:
            raise Problem(413, f"the job has more than {job.format.largest} bytes")
        self.size = size
        self.state = state
        self._objects = objects
        self._job = job

    def rows(self, servable: Servable, at: int) -> Iterator[Row]:
        """Yield the rows from `at` on (see `Row.end`), as instances for a version.

        Raises `Problem`, also between rows: for an input that cannot be read, 409 when it was replaced, and 410
        when it is gone.
        """
        match self._job.format:
            case Format.JSON:
                return request_rows(text_of(self._bytes(0, self.size)), at)
            case Format.LINES:
                return json_rows(Lines(self._block, at))
            case Format.CSV:
                return self._cells(servable, at)

    def _cells(self, servable: Servable, at: int) -> Iterator[Row]:
        lines = Lines(self._block, 0)
        columns = csv_header(lines)
        servable.check_columns(columns)
        rows = csv_rows(Lines(self._block, at) if at else lines, columns)
        return (row if row.problem else row._replace(value=servable.instance_of(row.value)) for row in rows)

    def _block(self, start: int) -> bytes:
        return self._bytes(start, BLOCK_BYTES)

    def _bytes(self, start: int, size: int) -> bytes:
        if start >= self.size:
            return b""
        try:
            data, state = self._objects.block(self._job.input, start, size)
        except Missing:
            raise gone() from None
        if state != self.state:
            raise replaced()
        return data


def replaced() -> Problem:
    """Return the `Problem` 409 for an input that was replaced after the job had begun."""
    return Problem(409, "the input was replaced after the job had begun; send it as a job of its own")


def gone() -> Problem:
    """Return the `Problem` 410 for an input that was deleted before its job was done."""
    return Problem(410, "the input was deleted before the job was done; send it again as a job of its own")
