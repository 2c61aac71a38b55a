"""Charts, drawn as SVG by the server: no style but classes, every text escaped, a title for each mark."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from sml.console.words import number

WIDTH, WIDE, HEIGHT = 640, 1280, 240
LEFT, RIGHT, TOP, BOTTOM = 52, 34, 18, 34
"""The margins, in which the axes are written."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A point of a chart."""

    x: float
    y: float
    title: str = ""
    key: str = ""
    """What it is about: the row of a table with the same key is shown with it."""
    name: str = ""
    """The series that it belongs to, which chooses its colour."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    low: float
    high: float
    ticks: Sequence[float]

    @classmethod
    def of(cls, values: Iterable[float], *, low: float | None = None, high: float | None = None) -> Axis:
        """Return an axis on which all values are, with ticks at round numbers."""
        found = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
        least, most = min(found) if low is None else low, max(found) if high is None else high
        if most <= least:
            pad = abs(least) * 0.1 or 1.0
            least, most = (least if low is not None else least - pad), (most if high is not None else most + pad)
        step = _step((most - least) / 4)
        first = math.floor(least / step + 1e-9) if low is None else math.ceil(least / step - 1e-9)
        last = math.ceil(most / step - 1e-9) if high is None else math.floor(most / step + 1e-9)
        ticks = [round(count * step, 12) for count in range(first, last + 1)]
        return cls(low=min(least, ticks[0]), high=max(most, ticks[-1]), ticks=ticks)

    def at(self, value: float, start: float, end: float) -> float:
        return round(start + (value - self.low) / (self.high - self.low) * (end - start), 1)


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Two axes with their names."""

    x: Axis
    y: Axis
    x_name: str
    y_name: str
    x_ticks: Mapping[float, str] = field(default_factory=dict)
    """Texts in place of numbers below the horizontal axis."""
    width: int = WIDTH

    def left(self, value: float) -> float:
        return self.x.at(value, LEFT, self.width - RIGHT)

    def top(self, value: float) -> float:
        return self.y.at(value, HEIGHT - BOTTOM, TOP)

    def drawn(self) -> list[Markup]:
        parts = []
        for tick in self.y.ticks:
            y = self.top(tick)
            parts.append(_line(LEFT, y, self.width - RIGHT, y, "grid"))
            parts.append(_text(LEFT - 6, y + 4, number(tick), "end"))
        for tick, said in (self.x_ticks or {tick: number(tick) for tick in self.x.ticks}).items():
            parts.append(_text(self.left(tick), HEIGHT - BOTTOM + 15, said, "middle"))
        parts.append(_text((LEFT + self.width - RIGHT) / 2, HEIGHT - 4, self.x_name, "middle"))
        parts.append(_text(LEFT, TOP - 7, self.y_name, "start"))
        return parts


def scatter(marks: Sequence[Mark], x_name: str, y_name: str, label: str) -> Markup:
    """Return points."""
    frame = Frame(x=Axis.of(m.x for m in marks), y=Axis.of(m.y for m in marks), x_name=x_name, y_name=y_name)
    return points(marks, frame, label)


def points(marks: Sequence[Mark], frame: Frame, label: str) -> Markup:
    """Return points on axes that are given."""
    return _svg(label, [*frame.drawn(), *(_dot(frame, mark, 3) for mark in marks)], frame.width)


def lines(marks: Sequence[Mark], frame: Frame, label: str, events: Sequence[tuple[float, str]] = ()) -> Markup:
    """Return a line for each series, with its points, and a mark across at each event."""
    parts = frame.drawn()
    for at, said in events:
        if frame.x.low <= at <= frame.x.high:
            x = frame.left(at)
            parts.append(_line(x, TOP, x, HEIGHT - BOTTOM, "event", said))
    for name in dict.fromkeys(mark.name for mark in marks):
        own = [mark for mark in marks if mark.name == name]
        points = " ".join(f"{frame.left(mark.x)},{frame.top(mark.y)}" for mark in own)
        parts.append(Markup('<polyline class="path {}" points="{}"/>').format(name, points))
        parts += [_dot(frame, mark, 3) for mark in own]
    return _svg(label, parts)


def parallel(rows: Sequence[Mapping[str, Any]], names: Sequence[str], label: str) -> Markup:
    """Return parallel coordinates: an axis for each name, a line for each row, the best row first."""
    axes = {name: _scale([row.get(name) for row in rows]) for name in names}
    wide = (WIDTH - 2 * LEFT) / max(len(names) - 1, 1)
    parts = []
    for place, row in reversed(list(enumerate(rows))):
        points = [
            f"{round(LEFT + wide * index, 1)},{_up(axes[name][_said(row.get(name))])}"
            for index, name in enumerate(names)
            if _said(row.get(name)) in axes[name]
        ]
        drawn = Markup('<polyline class="path row {}" data-key="{}" points="{}"><title>{}</title></polyline>')
        best = "best" if place == 0 else ""
        parts.append(drawn.format(best, row.get("id", ""), " ".join(points), row.get("title", "")))
    for index, name in enumerate(names):
        x = round(LEFT + wide * index, 1)
        parts.append(_line(x, TOP + 16, x, HEIGHT - BOTTOM, "axis"))
        parts.append(_text(x, TOP, name, "middle", "name"))
        for said, at in _few(axes[name]):
            parts.append(_text(x + 6, _up(at) + 4, said, "start"))
    return _svg(label, parts)


def _scale(values: Sequence[Any]) -> dict[str, float]:
    """Return where each value is on its axis, 0 to 1, by its text: numbers by size, texts side by side."""
    there = {_said(value): value for value in values if value is not None}
    if there and all(isinstance(value, int | float) and not isinstance(value, bool) for value in there.values()):
        low, high = min(there.values()), max(there.values())
        if low > 0 and high / low >= 50:
            there, low, high = {said: math.log(one) for said, one in there.items()}, math.log(low), math.log(high)
        return {said: (value - low) / (high - low) if high > low else 0.5 for said, value in there.items()}
    return {said: (place + 0.5) / len(there) for place, said in enumerate(sorted(there))}


def _few(axis: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return the values of an axis that can be written without hiding each other."""
    shown: list[tuple[str, float]] = []
    ordered = sorted(axis.items(), key=lambda one: one[1])
    for said, at in [*ordered[:1], *ordered[-1:], *ordered[1:-1]]:
        if all(abs(at - other) > 0.09 for _, other in shown):
            shown.append((said, at))
    return shown


def _said(value: Any) -> str:
    return "" if value is None else number(value)


def _up(share: float) -> float:
    return round(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP - 16), 1)


def _dot(frame: Frame, mark: Mark, radius: int) -> Markup:
    drawn = Markup('<circle class="dot {}" data-key="{}" cx="{}" cy="{}" r="{}"><title>{}</title></circle>')
    return drawn.format(mark.name, mark.key, frame.left(mark.x), frame.top(mark.y), radius, mark.title)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str, title: str = "") -> Markup:
    said = Markup("<title>{}</title>").format(title) if title else ""
    return Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}">{}</line>').format(kind, x1, y1, x2, y2, said)


def _text(x: float, y: float, said: str, anchor: str, kind: str = "") -> Markup:
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(kind, x, y, anchor, said)


def _svg(label: str, parts: Iterable[Markup], width: int = WIDTH) -> Markup:
    drawn = Markup('<svg class="chart{}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>')
    return drawn.format(" wide" if width > WIDTH else "", width, HEIGHT, label, Markup("").join(parts))


def _step(rough: float) -> float:
    """Return the round number that is the nearest above."""
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    return next(power * one for one in (1, 2, 2.5, 5, 10) if power * one >= rough * (1 - 1e-9))
