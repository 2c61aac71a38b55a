"""What a command prints: a table or lines for people, JSON for scripts."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from models.readable import readable

if TYPE_CHECKING:
    from rich.console import Console

NARROW = 60
"""Columns of a terminal below which a table becomes a list."""
PIPED = 200
"""Columns of what is not a terminal: a pipe breaks no lines."""


class Output:
    """Prints results on standard output, and progress on standard error, so that a pipe gets results alone."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json

    @cached_property
    def _console(self) -> Console:
        from rich.console import Console  # noqa: PLC0415 - tables alone need it, and it takes long to import

        return Console(highlight=False, width=None if sys.stdout.isatty() else PIPED)

    def say(self, text: str) -> None:
        """Print a line about what goes on."""
        print(_plain(text), file=sys.stderr, flush=True)

    def line(self, text: str) -> None:
        """Print a line of the result, for people alone."""
        if not self.as_json:
            print(_plain(text), flush=True)

    def each(self, document: object, text: str) -> None:
        """Print one of many things as it comes: a line of JSON where JSON is asked for, else its text."""
        print(json.dumps(document, ensure_ascii=False) if self.as_json else _plain(text), flush=True)

    def result(self, document: object, *lines: str) -> None:
        """Print a result: the document where JSON is asked for, else the lines."""
        if self.as_json:
            self._json(document)
        else:
            for line in lines:
                self.line(line)

    def fields(self, document: Mapping[str, Any], shown: Mapping[str, object] | None = None) -> None:
        """Print one thing: its facts, a line each, or all of it as JSON."""
        if self.as_json:
            self._json(document)
            return
        facts = {name: _text(value) for name, value in (shown or document).items()}
        width = max((len(name) for name in facts), default=0)
        for name, text in facts.items():
            if text:
                self.line(f"{name:<{width}}  {text}")

    def table(
        self, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], *, empty: str, documents: object = None
    ) -> None:
        """Print many things: a row each, with the columns by key and title; `empty` is what is said of none."""
        if self.as_json:
            self._json(rows if documents is None else documents)
            return
        if not rows:
            self.line(empty)
            return
        if self._console.width < NARROW:
            for row in rows:
                self.fields(row, {title: row.get(key) for key, title in columns.items()})
                self.line("")
            return
        from rich.table import Table  # noqa: PLC0415

        drawn = Table(box=None, pad_edge=False, header_style="bold", expand=False)
        for key, title in columns.items():
            number = any(isinstance(row.get(key), int | float) for row in rows)
            drawn.add_column(title, justify="right" if number else "left", overflow="fold")
        for row in rows:
            drawn.add_row(*(_escaped(_plain(_text(row.get(key)))) for key in columns))
        self._console.print(drawn)

    def _json(self, document: object) -> None:
        print(json.dumps(document, indent=1, ensure_ascii=False))


def _plain(text: str) -> str:
    """Return a text that does nothing to a terminal but stand there: what is not printable is a question mark."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)


def _escaped(text: str) -> str:
    from rich.markup import escape  # noqa: PLC0415 - tables alone have markup

    return escape(text)


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return f"{value:,}" if isinstance(value, int) else readable(value)
        case list() | tuple():
            return ", ".join(_text(one) for one in value)
        case dict():
            return ", ".join(f"{key}: {_text(one)}" for key, one in value.items())
    return str(value)
