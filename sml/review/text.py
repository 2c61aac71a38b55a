"""A report as text for a terminal."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from sml.review.report import Line, Report, Section, Words, on_one_line

MARKUP = re.compile(r"</?code>|\*\*")


def text(report: Report) -> str:
    """Return a report as lines of text, all of its rows."""
    return "\n".join([f"{report.stack}: {_line(report.first)}", *_sections(report), *map(_line, report.footer)])


def _sections(report: Report) -> Iterator[str]:
    for section in report.sections:
        yield f"{section.title}:"
        yield from (f"  {line}" for line in _body(section))


def _body(section: Section) -> Iterator[str]:
    yield from map(_line, section.lines)
    for row in section.table.rows if section.table else ():
        first, *others = row
        names = ", ".join(map(_line, first))
        if all(len(cell) <= 1 for cell in others):
            yield "  ".join([names, *(_line(line) for cell in others for line in cell)]).rstrip()
        else:
            yield "  ".join([names, *(_line(cell[0]) for cell in others if len(cell) == 1)])
            yield from (f"  {_line(line)}" for cell in others if len(cell) > 1 for line in cell)


def _line(line: Line) -> str:
    return "".join(
        html.unescape(MARKUP.sub("", part)) if isinstance(part, Words) else on_one_line(part) for part in line
    )
