"""A report on one stack, before it is Markdown or text: a first line that says it all, and sections below it."""

from __future__ import annotations

from dataclasses import dataclass


class Words(str):
    """Our own words, which are shown as they are. Every other text is somebody's, and is escaped."""

    __slots__ = ()


Line = tuple[str, ...]
"""Parts of a line, `Words` and texts of others in turn."""
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


def counted(number: int, noun: str) -> Words:
    """Return a number with its noun: `1 stack`, `2 stacks`."""
    return Words(f"{number:,} {noun}{'s' * (number != 1)}")
