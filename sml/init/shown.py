"""What a command says: a table on a terminal, plain lines in a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence


def show_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows of texts: the last column takes the space that is left."""
    console = Console()
    if not console.is_terminal:
        widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
        print(title)
        for row in (header, *rows):
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            print("  " + "  ".join(cells).rstrip())
        return
    table = Table(title=Text(title), title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in header[:-1]:
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    table.add_column(header[-1])
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)
