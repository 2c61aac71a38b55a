"""The text of a CSV file in pieces of whole records."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from functions.core.dataset.csv_records import LARGEST_ROW, Records, UnclosedQuote, scan
from functions.core.dataset.table import ACCEPTED, UnreadableTable, in_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator


class CsvText:
    """The blocks of a CSV file, cut into whole records."""

    def __init__(self, blocks: Iterator[bytes], *, end: int = 0, line: int = 1) -> None:
        """`end` is where the blocks begin in the file, `line` the number of their first line."""
        self._blocks = in_pieces(blocks)
        self._end = end
        self._line = line

    def pieces(self, delimiter: str) -> Iterator[tuple[bytes, Records, int, int]]:
        """Yield text, its records, the line on which it begins, and where the next piece begins in the file.

        Raise `UnreadableTable` for a row that is too large, and a quotation mark that is never closed.
        """
        rest, final = b"", False
        while not final:
            block = next(self._blocks, b"")
            final = not block
            text = rest + block
            if not text:
                return
            try:
                records = scan(text, delimiter, final=final)
            except UnclosedQuote as problem:
                line = self._line + len(re.findall(rb"\r\n|\r|\n", text[: problem.offset]))
                raise UnreadableTable(f"line {line}: {problem}; {ACCEPTED}") from None
            self._end += records.size
            yield text, records, self._line, self._end
            self._line += records.line_ends
            rest = text[records.size :]
            if len(rest) > LARGEST_ROW:
                raise UnreadableTable(f"line {self._line}: the row has more than {LARGEST_ROW} bytes")
