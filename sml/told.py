"""Truths of a table, as the API takes them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.core.dataset.number_style import UNCERTAIN, NumberStyle, style_of
from functions.core.dataset.read_apart import open_rows
from functions.core.dataset.table import UnreadableTable
from functions.core.dataset.wanted import Wanted
from sml.mistake import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.dataset.encoded_rows import EncodedRows

REQUEST, KEY, ROW, TRUTH = "request", "key", "row", "truth"


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Which columns of a table name a row, and which its truth; None where nobody says so."""

    request: str | None = None
    key: str | None = None
    row: str | None = None
    truth: str | None = None


def read(
    content: bytes, where: str, asked: Columns, target: str | None, classes: Sequence[str] | None
) -> list[dict[str, Any] | str]:
    """Return the truths of a table - CSV, JSON Lines or Parquet - row by row; for one that is no row, why.

    `target` is what the model's own table calls the truth, `classes` are its classes; None where nobody knows, or the
    truth is a number. Raise `Mistake` for what is no such table.
    """
    candidates = (asked.request, asked.key, asked.row, asked.truth, target, REQUEST, KEY, ROW, TRUTH)
    wanted = Wanted(features=(), others=tuple(dict.fromkeys(one for one in candidates if one is not None)))
    try:
        with open_rows(iter([content]), wanted) as rows:
            columns = _columns(rows.facts.columns, where, asked, target)
            parts = list(rows)
            style = None if classes is not None else _style(parts, columns.truth)
            return [item for some in parts for item in _items(some, columns, style)]
    except UnreadableTable as problem:
        raise Mistake(f"{where}: {problem}") from None


def _columns(found: Sequence[str], where: str, asked: Columns, target: str | None) -> Columns:
    """Return the columns that are read: those that were asked for, else those of the usual names. Raise `Mistake`."""
    begins = f"it begins with {', '.join(found[:8])}"
    for name in (asked.request, asked.key, asked.row, asked.truth):
        if name is not None and name not in found:
            raise Mistake(f"{where} has no column {name}; {begins}")
    request = asked.request or (REQUEST if REQUEST in found and asked.key is None else None)
    key = None if request is not None else asked.key or (KEY if KEY in found else None)
    truth = asked.truth or next((one for one in (TRUTH, target) if one is not None and one in found), None)
    if request is None and key is None:
        raise Mistake(
            f"{where} has no column {REQUEST} or {KEY}, by which rows are named; {begins}; --request or --key"
        )
    if truth is None:
        raise Mistake(f"{where} has no column {' or '.join(filter(None, (TRUTH, target)))}; {begins}; --truth")
    return Columns(request=request, key=key, row=asked.row or (ROW if ROW in found else None), truth=truth)


def _style(parts: Sequence[EncodedRows], truth: str | None) -> NumberStyle:
    """Return how the truths are written that are numbers, as a dataset's numbers are read."""
    return style_of(text for some in parts for text in some.texts[str(truth)] if text is not None)


def _items(some: EncodedRows, columns: Columns, style: NumberStyle | None) -> Iterator[dict[str, Any] | str]:
    """Yield the truths, in the style of their numbers; None: they are classes."""
    for at in range(len(some.numbers)):
        if at in some.refused:
            yield "; ".join(reason for _, reason in some.refused[at].faults)
            continue
        item: dict[str, Any] = {
            member: some.texts[name][at] for member, name in vars(columns).items() if name is not None
        }
        if (row := item.pop(ROW, None)) is not None:
            item[ROW] = int(row) if row.strip().isdecimal() and row.isascii() else row
        text = item[TRUTH]
        if style is None or text is None:
            yield item
        elif (plain := style.plain(text)) is None:
            yield f"{columns.truth} {UNCERTAIN}"
        else:
            yield {**item, TRUTH: _number(plain)}


def _number(text: str) -> str | float:
    """Return a number; a text that is none stays one, and the API says so."""
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text
