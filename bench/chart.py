"""Ratios as bars beside their targets, drawn as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH, LEFT, RIGHT = 920, 430, 90
ROW, TOP = 26, 64
REACHED, MISSED, PLAIN = "#2a7f62", "#b4452c", "#6b7280"
LEGEND = ((REACHED, "target reached"), (MISSED, "target missed"), (PLAIN, "no target"))


def chart(records: Sequence[Mapping[str, Any]]) -> str:
    """A bar for each ratio, ours as a share of what it is held against; the tick is the target, the line the spread."""
    rows = [record for record in records if record.get("unit") == "x"]
    longest = max([1.0, *(max(row["high"], row["target"] or 0) for row in rows)])
    height = TOP + ROW * len(rows) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="12.5">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        '<text x="16" y="26" font-size="16" font-weight="600">Ours as a share of what it is held against</text>',
        *_legend(),
        _line(_x(1, longest), TOP - 6, _x(1, longest), height - 24, "#9ca3af", "4 3"),
        f'<text x="{_x(1, longest):.1f}" y="{height - 8}" text-anchor="middle" fill="{PLAIN}">1 = the same</text>',
    ]
    for index, row in enumerate(rows):
        parts += _bar(row, TOP + ROW * index, longest)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _bar(row: Mapping[str, Any], y: float, longest: float) -> list[str]:
    colour = {True: REACHED, False: MISSED, None: PLAIN}[row["reached"]]
    middle, end = y + ROW / 2, _x(row["ratio"], longest)
    name = escape(f"{row['name']} / {row['against']}")
    parts = [
        f'<text x="{LEFT - 10}" y="{middle + 4:.1f}" text-anchor="end">{name}</text>',
        f'<rect x="{LEFT}" y="{y + 5:.1f}" width="{end - LEFT:.1f}" height="{ROW - 10}" fill="{colour}"/>',
        _line(_x(row["low"], longest), middle, _x(row["high"], longest), middle, "#111827"),
        f'<text x="{_x(max(row["high"], row["target"] or 0), longest) + 8:.1f}" y="{middle + 4:.1f}">'
        f"{row['ratio']:.3g}</text>",
    ]
    if row["target"] is not None:
        at = _x(row["target"], longest)
        parts.append(_line(at, y + 1, at, y + ROW - 1, "#111827", width=2))
    return parts


def _legend() -> list[str]:
    parts, x = [], 16
    for colour, text in LEGEND:
        parts.append(f'<rect x="{x}" y="38" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{x + 18}" y="48">{text}</text>')
        x += 130
    parts.append(_line(x, 36, x, 52, "#111827", width=2))
    return [*parts, f'<text x="{x + 8}" y="48">target</text>']


def _x(ratio: float, longest: float) -> float:
    return LEFT + ratio / longest * (WIDTH - LEFT - RIGHT)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, dashes: str = "", width: float = 1) -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width:g}"{dashed}/>'
    )
