"""A report as the Markdown of a comment: everything untrusted is escaped, and the length is bounded."""

from __future__ import annotations

import html
import re
from typing import Final

from sml.review.report import Cell, Line, Prose, Report, Section, Table, Words, on_one_line

LONGEST: Final = 65_535
"""Characters of a comment that GitHub takes: one fewer than it refuses in `body is too long (maximum is 65536)`."""
ROWS: Final = (1_000_000, 200, 100, 50, 20, 10, 3, 0)
"""How many rows of a table are shown, until the whole is short enough."""
SPECIAL: Final = re.compile(r"[\\`*_{}\[\]#|~!:^$]|(?<=www)\.")
"""What Markdown reads as more than itself, links that it makes of addresses included."""
BREAK: Final = "&#8203;"
"""A zero-width space: after it nobody is mentioned, also where code is not seen as code."""


def marker(stack: str) -> str:
    """Return the line by which the comment on a stack is found again; it is not shown."""
    return f"<!-- serverless-ml review of {stack} -->"


def comment(report: Report) -> str:
    """Return a report as Markdown, at most 65,535 characters; first line and totals are always there."""
    for rows in ROWS:
        text = _comment(report, rows)
        if len(text) <= LONGEST:
            return text
    end = f"\n\n{marker(report.stack)}\n"
    return _first(report)[: LONGEST - len(end)] + end


def escaped(text: str) -> str:
    """Return somebody's text as it stands, whatever is in it: on one line, and nothing of it is Markdown or HTML."""
    line = on_one_line(text)
    safe = SPECIAL.sub(lambda found: f"&#{ord(found[0])};", html.escape(line, quote=False).replace("&", "\0"))
    return safe.replace("\0", "&").replace("@", f"@{BREAK}")


def _comment(report: Report, rows: int) -> str:
    blocks = [_first(report), *(_section(section, rows) for section in report.sections)]
    blocks += [f"<sub>{_line(line)}</sub>" for line in report.footer]
    return "\n\n".join([*blocks, marker(report.stack)]) + "\n"


def _first(report: Report) -> str:
    return f"**{escaped(report.stack)}**: {_line(report.first)}"


def _section(section: Section, rows: int) -> str:
    lines = [f"- {_line(line)}" for line in section.lines[:rows]]
    if (more := len(section.lines) - rows) > 0:
        lines.append(f"- and {more:,} more")
    if section.strong:
        lines = [f"- **{line.removeprefix('- ')}**" for line in lines]
    body = "\n".join(lines)
    if section.table is not None:
        body = "\n\n".join(part for part in (body, _table(section.table, rows)) if part)
    if section.folded:
        return f"<details><summary>{section.title}</summary>\n\n{body}\n\n</details>"
    return f"**{section.title}**\n\n{body}"


def _table(table: Table, rows: int) -> str:
    shown = table.rows[:rows]
    drawn = [
        f"| {' | '.join(table.columns)} |",
        f"|{' --- |' * len(table.columns)}",
        *(f"| {' | '.join(_cell(cell) for cell in row)} |" for row in shown),
    ]
    if more := len(table.rows) - len(shown):
        drawn += ["", f"and {more:,} more rows, which `sml review --text` prints"]
    return "\n".join(drawn)


def _cell(lines: Cell) -> str:
    return "<br>".join(map(_line, lines))


def _line(line: Line) -> str:
    return "".join(map(_part, line))


def _part(part: str) -> str:
    if isinstance(part, Words) or not part:
        return part
    return escaped(part) if isinstance(part, Prose) else f"<code>{escaped(part)}</code>"
