"""The rows of a table - CSV, JSON Lines or Parquet - answered by a version that takes features."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from functions.core.dataset.csv_text import CsvText
from functions.core.dataset.table import UnreadableTable
from functions.core.dataset.wanted import Facts, Wanted
from functions.core.http.problem import Fault, Problem
from functions.core.jobs.answers import Answered, Answers, aligned, errors_in
from functions.core.jobs.job import Format
from functions.core.jobs.prediction_lines import error_line, lines_of, with_ids
from functions.core.onnx.session import ModelFailure
from functions.core.onnx.tensor import Spec, Tensor
from functions.core.serving.table_inputs import cell_of
from functions.core.serving.tabular import Tabular

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np

    from functions.core.dataset.encoded_rows import EncodedRows, Refused
    from functions.core.dataset.wanted import Reader
    from functions.core.jobs.source import JobInput
    from functions.core.serving.servable import Servable
    from models.feature import Feature

EXACT = 2**53
"""The largest whole number up to which FP64 holds every one: inputs that take larger ones are read as text."""
MOST_LISTED = 100
"""Columns that a result lists as ignored."""
_FAILS = Problem(500, "the model fails on this row")


class TableAnswers(Answers):
    def __init__(self, job_input: JobInput, servable: Servable, read: Reader, facts: Mapping[str, Any] | None) -> None:
        """Answer the rows of a table. `facts` is its form where an earlier attempt found it.

        Raise `Problem` 400 for a version that takes no rows of features, and for a table without its columns.
        """
        self._input = job_input
        self._servable = servable
        self._read = read
        columns = servable.columns()
        self._wide = tuple(one.name for one in columns if one.kind == "integer" and (one.maximum or 0) > EXACT)
        texts = {*self._wide, *(one.name for one in columns if one.kind == "category" and not one.categories)}
        self._features = tuple(one for one in columns if one.name not in texts)
        self._texts = tuple(one.name for one in columns if one.name in texts)
        self._ids = servable.ids
        self.splits = job_input.job.format in (Format.CSV, Format.LINES) and not job_input.job.compressed
        self.facts = facts

    @property
    def about(self) -> dict[str, Any]:
        used = {*(one.name for one in self._features), *self._texts, *self._ids}
        ignored = [name[:MOST_LISTED] for name in self._form.columns if name not in used]
        return {"ignored_columns": ignored[:MOST_LISTED]} if ignored else {}

    def all(self, skip: int, batch_rows: int) -> Iterator[Answered]:
        yield from self._answered(self._input.blocks(0), skip, None, batch_rows)

    def between(self, start: int, stop: int, batch_rows: int) -> Iterator[Answered]:
        resumed = None if start == 0 else self._form
        yield from self._answered(self._input.blocks(start, stop), 0, resumed, batch_rows)

    def bounds(self, part_bytes: int) -> tuple[int, ...]:
        if self._input.job.format is Format.LINES:
            return self._input.line_bounds(part_bytes)
        return _record_bounds(self._input, self._form.delimiter, part_bytes)

    @property
    def _form(self) -> Facts:
        """The table's form, as an earlier attempt or its first rows showed it."""
        return Facts.parse(dict(self.facts or {}))

    def _answered(
        self, blocks: Iterator[bytes], skip: int, resumed: Facts | None, batch_rows: int
    ) -> Iterator[Answered]:
        """Yield the answers to the rows in some blocks, but for the first `skip`. Raise `Problem` 400."""
        wanted = Wanted(
            features=self._features,
            others=(*self._texts, *self._ids),
            dtype="float32" if isinstance(self._servable, Tabular) else "float64",
            lists=True,
            resumed=resumed,
            skip=skip,
        )
        try:
            with self._read(blocks, wanted) as rows:
                self._check(rows.facts)
                ids, before = [name for name in self._ids if name in self._form.columns], 0
                for read in rows:
                    row_bytes, before = (read.end - before) / max(len(read.numbers), 1), read.end
                    last = read.first + len(read.numbers)
                    for start, end in aligned(max(skip, read.first), last, batch_rows):
                        yield self._batch(read, range(start - read.first, end - read.first), ids, row_bytes)
        except UnreadableTable as problem:
            raise Problem(400, str(problem)) from problem

    def _check(self, facts: Facts) -> None:
        """Keep the form of a table that is read from its beginning. Raise `Problem` 400 where it lacks a column."""
        if self.facts is not None:
            return
        needed = [one.name for one in self._features if one.missing == "reject"] + list(self._texts)
        lacking = [Fault(field=name, message="is missing") for name in needed if name not in facts.columns]
        if lacking and facts.columns:
            raise Problem(400, "the header does not fit the model", faults=lacking)
        self.facts = facts.document()

    def _batch(self, rows: EncodedRows, positions: range, ids: Sequence[str], row_bytes: float) -> Answered:
        began = time.perf_counter()
        mixed = any(map(rows.refused.__contains__, positions))
        lines = self._mixed(rows, positions) if mixed else self._lines(rows, positions)
        part = slice(positions.start, positions.stop)
        return Answered(
            lines=with_ids(lines, {name: rows.texts[name][part] for name in ids}),
            refused=errors_in(lines),
            seconds=time.perf_counter() - began,
            size=row_bytes * len(positions),
        )

    def _mixed(self, rows: EncodedRows, positions: range) -> list[bytes]:
        """Return a line for each of these rows, of which some are refused."""
        lines = {at: error_line(_refusal(rows.refused[at])) for at in positions if at in rows.refused}
        accepted = [at for at in positions if at not in lines]
        if accepted:
            lines.update(zip(accepted, self._lines(rows, accepted), strict=True))
        return [lines[at] for at in positions]

    def _lines(self, rows: EncodedRows, positions: Sequence[int]) -> list[bytes]:
        """Return a line for each of these rows: all at once, or one by one where that fails."""
        try:
            outputs = self._servable.answer(self._inputs(rows, positions))
            return lines_of(self._servable, outputs, len(positions))
        except (ModelFailure, Problem) as problem:
            if len(positions) == 1:
                return [error_line(problem if isinstance(problem, Problem) else _FAILS)]
        return [line for at in positions for line in self._lines(rows, [at])]

    def _inputs(self, rows: EncodedRows, positions: Sequence[int]) -> Mapping[str, Tensor]:
        numbers = rows.numbers[positions[0] : positions[-1] + 1]
        if len(numbers) != len(positions):
            numbers = rows.numbers[list(positions)]
        servable = self._servable
        if isinstance(servable, Tabular) and servable.takes.datatype == "FP32":
            return {servable.input: Tensor.over("FP32", numbers.shape, memoryview(numbers.tobytes()))}
        terms = servable.terms if isinstance(servable, Tabular) else self._features
        columns: dict[str, Sequence[Any]] = {term.name: _values(term, numbers[:, at]) for at, term in enumerate(terms)}
        columns |= {name: [rows.texts[name][at] for at in positions] for name in self._texts}
        columns |= {name: list(map(_whole, columns[name])) for name in self._wide}
        return servable.inputs_of(columns)


def _whole(text: str | None) -> Any:
    """Return a whole number with every digit; a text that is none as it is, which the model's input then refuses."""
    return None if text is None else cell_of(text, Spec(name="", datatype="INT64", shape=(-1,)))


def _values(term: Feature, numbers: np.ndarray) -> list[Any]:
    """Return a column as Python has it: whole numbers as `int`, unless some are missing."""
    values = numbers.tolist()
    whole = term.kind == "integer" and not any(map(math.isnan, values))
    return list(map(int, values)) if whole else values


def _refusal(row: Refused) -> Problem:
    """Return why a row is refused, as a request with it would be."""
    faults = [Fault(field=column, message=reason) for column, reason in row.faults if column]
    if faults:
        return Problem(400, "the rows do not fit the model", faults=faults)
    return Problem(400, f"the row {row.faults[0][1]}")


def _record_bounds(job_input: JobInput, delimiter: str, part_bytes: int) -> tuple[int, ...]:
    """Return where parts of a CSV file begin. Raise `Problem` 400 for what is no CSV."""
    bounds = [0]
    try:
        for _, records, _, end in CsvText(job_input.blocks(0)).pieces(delimiter):
            starts = records.starts + (end - records.size)
            while len(later := starts[starts >= bounds[-1] + part_bytes]):
                bounds.append(int(later[0]))
    except UnreadableTable as problem:
        raise Problem(400, str(problem)) from problem
    return (*bounds, job_input.size)
