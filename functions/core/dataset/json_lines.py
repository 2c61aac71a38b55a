"""JSON Lines: one object a line, with values by column. A line that is none is set aside, and no other."""

from __future__ import annotations

import re
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from functions.core.dataset.csv_records import LARGEST_ROW
from functions.core.dataset.table import Batch, Table, UnreadableTable, check_header, in_pieces
from functions.core.http.json_codec import dump_json, parse_json
from functions.core.http.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from models.feature import Feature

_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\r|\n")


def open_json_lines(
    blocks: Iterator[bytes], features: Sequence[Feature], others: Sequence[str], *, lists: bool = False
) -> Table:
    """Open JSON Lines. `features` and `others` are the columns whose values are read.

    With `lists`, a line may also be a list of values in the order of the features.
    """
    names = [*(feature.name for feature in features), *others]
    order = [feature.name for feature in features] if lists else []
    batches = _batches(blocks, names, order)
    first = next(batches, None)
    columns = () if first is None else first[0]
    check_header(columns, names)

    def again() -> Iterator[Batch]:
        if first is not None:
            yield first[1]
        yield from (batch for _, batch in batches)

    return Table(format="JSON Lines", unit="line", columns=tuple(columns), batches=again(), typed=True)


def _batches(
    blocks: Iterator[bytes], names: Sequence[str], order: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], Batch]]:
    """Yield the names in the rows of each batch, and the batch."""
    rest, end, line = b"", 0, 1
    for block in in_pieces(blocks):
        text = rest + block
        whole = 1 + max(text.rfind(b"\n"), text.rfind(b"\r", 0, -1))  # behind a last CR, LF may follow
        if whole:
            end += whole
            yield _batch(text[:whole], names, order, line, end)
            line += len(_LINE_END.findall(text, 0, whole))
        rest = text[whole:]
        if len(rest) > LARGEST_ROW:
            raise UnreadableTable(f"line {line}: the row has more than {LARGEST_ROW} bytes")
    if rest.strip():
        yield _batch(rest, names, order, line, end + len(rest))


def _batch(
    text: bytes, names: Sequence[str], order: Sequence[str], line: int, end: int
) -> tuple[tuple[str, ...], Batch]:
    lines = _LINE_END.split(text.removeprefix(_BOM))
    filled = [at for at, content in enumerate(lines) if content.strip()]
    rows: list[dict[str, Any]] = []
    malformed: dict[int, str] = {}
    for position, at in enumerate(filled):
        row = _row(lines[at], order)
        if isinstance(row, dict):
            rows.append(row)
        else:
            malformed[position] = row
    batch = Batch(
        columns={name: [row.get(name) for row in rows] for name in names},
        rows=len(filled),
        locations=[line + at for at in filled],
        malformed=malformed,
        cells=partial(_cells, [lines[at] for at in filled]),
        end=end,
    )
    return tuple(dict.fromkeys(chain.from_iterable(rows))), batch


def _row(line: bytes, order: Sequence[str]) -> dict[str, Any] | str:
    """Return the values of a line by name, or why it is no row."""
    try:
        value = parse_json(line)
    except Problem as problem:
        return problem.detail.removeprefix("the body ")
    match value:
        case dict():
            return value
        case list() if order:
            if len(value) == len(order):
                return dict(zip(order, value, strict=True))
            return f"has {len(value)} values; accepted: {len(order)}"
        case _:
            return "is no object; accepted: {column: value, ...}"


def _cells(lines: Sequence[bytes], position: int) -> list[str]:
    """Return the values of a row as cells of text, or the line as it is where it is no row."""
    line = lines[position]
    try:
        value = parse_json(line)
    except Problem:
        return [line.decode("utf-8", "replace")]
    values = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return ["" if one is None else one if isinstance(one, str) else dump_json(one).decode() for one in values]
