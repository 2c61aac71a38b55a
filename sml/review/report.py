"""A report on one stack, before it is Markdown or text: a first line that says it all, and sections below it."""

from __future__ import annotations

from dataclasses import dataclass


class Words(str):
    """Our own words, which are shown as they are. Every other text is somebody's: it is escaped, and shown as code."""

    __slots__ = ()


class Prose(str):
    """A sentence of somebody's, or a name that reads as one: it is escaped, and not shown as code."""

    __slots__ = ()


Line = tuple[str, ...]
"""Parts of a line: `Words`, `Prose`, and texts that are shown as code."""
Cell = tuple[Line, ...]
"""The lines of a cell of a table."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows below headings; the first rows are those that matter most."""

    columns: tuple[Words, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a report: lines, then a table."""

    title: Words
    lines: tuple[Line, ...] = ()
    table: Table | None = None
    folded: bool = True
    """Whether it is shown only to whoever asks for it."""
    strong: bool = False
    """Whether it must not be overlooked."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a change does to one stack."""

    stack: str
    first: Line
    """What is said in the first line, after the stack's name."""
    changed: bool
    """Whether there is anything to tell."""
    sections: tuple[Section, ...] = ()
    footer: tuple[Line, ...] = ()


def cell(*parts: str) -> Cell:
    """Return a cell of one line."""
    return (parts,)


def on_one_line(text: str) -> str:
    """Return somebody's text on one line, with a question mark for each sign that is not printable."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))


def counted(number: int, noun: str) -> Words:
    """Return a number with its noun: `1 stack`, `2 stacks`."""
    return Words(f"{number:,} {noun}{'s' * (number != 1)}")
