"""Draw ratios and their targets on one logarithmic axis as SVG: left of 1 is less than the peer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any

WIDTH, LEFT, RIGHT = 1080, 600, 70
ROW, HEADING, TOP, FOOT = 24, 30, 60, 44
REACHED, MISSED, PLAIN, INK = "#2a7f62", "#b4452c", "#6b7280", "#111827"
LEGEND = ((REACHED, "target reached"), (MISSED, "target missed"), (PLAIN, "no target"))
MARKS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)


class Axis:
    """The horizontal axis, from the ratio `low` at the left end to `high` at the right."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        ratios = [1.0, *(value for row in rows for value in (row["low"], row["high"], row["target"] or 1.0))]
        self.low, self.high = min(ratios) / 1.1, max(ratios) * 1.1

    def at(self, ratio: float) -> float:
        """Return the x coordinate of a ratio."""
        share = math.log(ratio / self.low) / math.log(self.high / self.low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    @property
    def marks(self) -> list[float]:
        return [mark for mark in MARKS if self.low <= mark <= self.high]


def chart(records: Sequence[Mapping[str, Any]]) -> str:
    """Return an SVG with a bar from 1 to each ratio, its spread as a line and its target as a tick, by group."""
    rows = [record for record in records if record.get("unit") == "x"]
    groups = [(name, list(members)) for name, members in groupby(rows, key=lambda row: row["group"])]
    height = TOP + HEADING * len(groups) + ROW * len(rows) + FOOT
    axis = Axis(rows)
    elements = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="12.5">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        '<text x="16" y="26" font-size="16" font-weight="600">Ours as a share of what it is held against</text>',
        *_legend(),
        *_marks(axis, height),
    ]
    y = TOP
    for name, members in groups:
        elements.append(f'<text x="16" y="{y + 21}" font-weight="600">{escape(name)}</text>')
        y += HEADING
        for row in members:
            elements += _bar(row, y, axis)
            y += ROW
    return "\n".join([*elements, "</svg>"]) + "\n"


def _bar(row: Mapping[str, Any], y: float, axis: Axis) -> list[str]:
    colour = {True: REACHED, False: MISSED, None: PLAIN}[row["reached"]]
    middle, (start, end) = y + ROW / 2, sorted((axis.at(1), axis.at(row["ratio"])))
    name = f'{escape(row["name"])} <tspan fill="{PLAIN}">/ {escape(row["against"])}</tspan>'
    right = max(axis.at(row["high"]), axis.at(row["target"] or row["ratio"]), axis.at(1))
    elements = [
        f'<text x="{LEFT - 10}" y="{middle + 4:.1f}" text-anchor="end">{name}</text>',
        f'<rect x="{start:.1f}" y="{y + 5:.1f}" width="{end - start:.1f}" height="{ROW - 10}" fill="{colour}"/>',
        _line(axis.at(row["low"]), middle, axis.at(row["high"]), middle, INK),
        f'<text x="{right + 8:.1f}" y="{middle + 4:.1f}">{row["ratio"]:.3g}</text>',
    ]
    if row["target"] is not None:
        at = axis.at(row["target"])
        elements.append(_line(at, y + 1, at, y + ROW - 1, INK, width=2))
    return elements


def _marks(axis: Axis, height: float) -> list[str]:
    elements = []
    for mark in axis.marks:
        x, label = axis.at(mark), "1, the same" if mark == 1 else f"{mark:g}"
        elements.append(_line(x, TOP - 4, x, height - FOOT + 6, PLAIN if mark == 1 else "#e5e7eb"))
        elements.append(f'<text x="{x:.1f}" y="{height - 18}" text-anchor="middle" fill="{PLAIN}">{label}</text>')
    return elements


def _legend() -> list[str]:
    elements, x = [], 16
    for colour, text in LEGEND:
        elements.append(f'<rect x="{x}" y="38" width="12" height="12" fill="{colour}"/>')
        elements.append(f'<text x="{x + 18}" y="48">{text}</text>')
        x += 130
    elements.append(_line(x, 36, x, 52, INK, width=2))
    return [*elements, f'<text x="{x + 8}" y="48">target</text>']


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width:g}"/>'
