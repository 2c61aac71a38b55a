"""Pieces of an HTML page that stands alone: no scripts, nothing fetched, every text escaped."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, NewType

from models.readable import readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


Markup = NewType("Markup", str)
"""HTML that is safe as it stands. Plain `str` is escaped wherever it is put in."""

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #566072; --line: #d9dee7; --back: #fff; --tint: #f4f6fa;
  --main: #2457c5; --good: #14703a; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ebf2; --soft: #a3adbf; --line: #36404f; --back: #12161d;
  --tint: #1b212b; --main: #8db2ff; --good: #6fd69a; --bad: #ff9d94; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem 4rem; background: var(--back); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
p.lead { color: var(--soft); margin: 0 0 1.5rem; max-width: 46rem; } p.after { margin-top: 1.5rem; }
.badge { display: inline-block; padding: .1rem .6rem; border: 1.5px solid currentColor; border-radius: 1rem;
  font-size: .85rem; font-weight: 600; }
.good { color: var(--good); } .bad { color: var(--bad); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.25rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem; }
th, td { padding: .35rem .7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { background: var(--tint); } tbody th { font-weight: 500; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.first th, tr.first td { background: var(--tint); font-weight: 600; }
.side { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: flex-start; }
.side > div { min-width: 0; max-width: 100%; }
figure { margin: 0; break-inside: avoid; } figcaption { color: var(--soft); font-size: .9rem; max-width: 18rem; }
svg { max-width: 100%; height: auto; }
svg text { fill: var(--soft); font: 11px system-ui, sans-serif; }
code { font-size: .9em; }
ul.doubts { margin: 0; padding-left: 1.2rem; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .6rem; } }
@media print { :root { color-scheme: light; --ink: #000; --soft: #444; --line: #bbb; --back: #fff; --tint: #f2f2f2;
  --main: #2457c5; --good: #14703a; --bad: #b3261e; } html { font-size: 11px; }
  body { max-width: none; padding: 0; font-size: 1rem; }
  h2 { break-after: avoid; } tr { break-inside: avoid; } .scroll { overflow: visible; }
  thead { display: table-header-group; } }
"""


def escape(text: object) -> Markup:
    """Return any value as escaped text. `Markup` is a `str` at run time, so call this wherever text comes in."""
    return Markup(html.escape(str(text), quote=True))


def join(parts: Iterable[Markup]) -> Markup:
    return Markup("".join(parts))


def page(title: str, body: Markup) -> bytes:
    """Return a whole document in UTF-8. Its policy lets a browser run and fetch nothing."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    ).encode()


def section(title: str, body: Markup) -> Markup:
    return Markup(f"<section>\n<h2>{escape(title)}</h2>\n{body}</section>\n")


def facts(pairs: Iterable[tuple[str, Markup]]) -> Markup:
    """Return a list of terms, each with its value."""
    return Markup("<dl>\n" + "".join(f"<dt>{escape(term)}</dt><dd>{what}</dd>\n" for term, what in pairs) + "</dl>\n")


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[Markup]], *, first: bool = False) -> Markup:
    """Return a table. A row's first cell is its heading, and a column whose name begins with # holds numbers.

    `first`: the first row is highlighted.
    """
    numeric = [name.startswith("#") for name in header]
    head = "".join(
        f'<th scope="col"{_class(number)}>{escape(name.lstrip("#"))}</th>'
        for name, number in zip(header, numeric, strict=True)
    )
    lines = []
    for position, row in enumerate(rows):
        cells = "".join(
            f'<th scope="row">{cell}</th>' if not column else f"<td{_class(numeric[column])}>{cell}</td>"
            for column, cell in enumerate(row)
        )
        mark = ' class="first"' if first and not position else ""
        lines.append(f"<tr{mark}>{cells}</tr>\n")
    return Markup(
        f'<div class="scroll"><table>\n<caption>{escape(caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{''.join(lines)}</tbody>\n</table></div>\n"
    )


def number(value: float | None, digits: int = 4) -> Markup:
    if value is None:
        return Markup("&ndash;")
    return escape(readable(value, digits))


def share_bar(share: float) -> Markup:
    """Draw a bar as long as a share, from 0 to 1."""
    return Markup(
        '<svg width="120" height="12" viewBox="0 0 120 12" aria-hidden="true">'
        f'<rect x="0" y="1" width="{120 * share:.1f}" height="10" fill="var(--main)"/></svg>'
    )


def badge(good: bool, text: str) -> Markup:
    return Markup(f'<span class="badge {"good" if good else "bad"}">{escape(text)}</span>')


def _class(numeric: bool) -> str:
    return ' class="n"' if numeric else ""


def bars(counts: Sequence[float], what: str) -> Markup:
    """Draw a row of bars, the tallest as high as the drawing."""
    most = max([*counts, 1])
    shapes = join(
        Markup(
            f'<rect x="{i * 9}" y="{22 - 20 * count / most:.1f}" width="8" height="{20 * count / most:.1f}"'
            ' fill="var(--main)"/>'
        )
        for i, count in enumerate(counts[:40])
    )
    width = 9 * min(len(counts), 40)
    return Markup(
        f'<svg role="img" width="{width}" height="22" viewBox="0 0 {width} 22">'
        f"<title>{escape(what)}</title>{shapes}</svg>"
    )
