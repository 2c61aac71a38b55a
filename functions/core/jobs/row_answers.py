"""Rows as people write them in JSON - a request, or a line each - answered by any version."""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING

from functions.core.jobs.answers import Answered, Answers, errors_in
from functions.core.jobs.predictions import predict_all, predict_each
from functions.core.jobs.row_reader import json_rows, lines_of, request_rows
from functions.core.storage.objects import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.jobs.row_reader import Row
    from functions.core.jobs.source import JobInput
    from functions.core.serving.servable import Servable


class RequestAnswers(Answers):
    """The instances of one request: all of them are answered, or none."""

    def __init__(self, job_input: JobInput, servable: Servable) -> None:
        self._input = job_input
        self._servable = servable

    def all(self, skip: int, batch_rows: int) -> Iterator[Answered]:
        rows, first = islice(request_rows(self._input.text()), skip, None), skip
        while batch := list(islice(rows, batch_rows - first % batch_rows)):
            began = time.perf_counter()
            lines = list(map(canonical, predict_all(self._servable, batch, first)))
            yield Answered(lines=lines, refused=0, seconds=time.perf_counter() - began)
            first += len(batch)


class LineAnswers(Answers):
    """One instance a line: each is answered or refused by itself."""

    def __init__(self, job_input: JobInput, servable: Servable) -> None:
        self._input = job_input
        self._servable = servable
        self.splits = not job_input.job.compressed

    def all(self, skip: int, batch_rows: int) -> Iterator[Answered]:
        yield from self._answered(self._input.blocks(0), skip, batch_rows)

    def between(self, start: int, stop: int, batch_rows: int) -> Iterator[Answered]:
        yield from self._answered(self._input.blocks(start, stop), 0, batch_rows)

    def bounds(self, part_bytes: int) -> tuple[int, ...]:
        return self._input.line_bounds(part_bytes)

    def _answered(self, blocks: Iterator[bytes], skip: int, batch_rows: int) -> Iterator[Answered]:
        rows, first = islice(json_rows(lines_of(blocks)), skip, None), skip
        while batch := _batch(rows, batch_rows - first % batch_rows):
            first += len(batch)
            began = time.perf_counter()
            lines = list(map(canonical, predict_each(self._servable, batch)))
            yield Answered(
                lines=lines,
                refused=errors_in(lines),
                seconds=time.perf_counter() - began,
                size=sum(row.size for row in batch),
            )


BATCH_BYTES = 1_000_000
"""A batch ends with the line that reaches this number of bytes."""


def _batch(rows: Iterator[Row], most: int) -> list[Row]:
    batch: list[Row] = []
    size = 0
    for row in islice(rows, most):
        batch.append(row)
        size += row.size
        if size >= BATCH_BYTES:
            break
    return batch
