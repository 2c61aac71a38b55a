"""Drawings of curves and points over two axes, as SVG that is sized by the page and coloured by its style."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.core.selection.html import Markup, escape, join

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH, _HEIGHT = 228, 220
_LEFT, _TOP, _RIGHT, _BOTTOM = 46, 10, 14, 36
_MOST = 300
"""Points of a line that are drawn."""
_DOTS = 400
"""Dots of a drawing, for as many rows or more."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    name: str
    low: float = 0.0
    high: float = 1.0

    @classmethod
    def over(cls, name: str, *values: float) -> Axis:
        """Return an axis on which all values lie."""
        low, high = min(values), max(values)
        return cls(name=name, low=low, high=high if high > low else low + 1.0)

    def share(self, value: float) -> float:
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A drawing: what is in it is drawn in this order."""

    x: Axis
    y: Axis
    what: str
    """The title, which whoever cannot see it hears."""

    def draw(self, *parts: Markup) -> Markup:
        """Return the drawing with a frame, the ends of its axes, and these parts."""
        width, height = _LEFT + _WIDTH + _RIGHT, _TOP + _HEIGHT + _BOTTOM
        bottom, right = _TOP + _HEIGHT, _LEFT + _WIDTH
        return Markup(
            f'<svg role="img" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
            f"<title>{escape(self.what)}</title>"
            f'<rect x="{_LEFT}" y="{_TOP}" width="{_WIDTH}" height="{_HEIGHT}" fill="none" stroke="var(--line)"/>'
            f"{join(parts)}"
            f'<text x="{_LEFT}" y="{bottom + 14}">{_said(self.x.low)}</text>'
            f'<text x="{right}" y="{bottom + 14}" text-anchor="end">{_said(self.x.high)}</text>'
            f'<text x="{_LEFT + _WIDTH / 2:g}" y="{bottom + 29}" text-anchor="middle">{escape(self.x.name)}</text>'
            f'<text x="{_LEFT - 4}" y="{bottom}" text-anchor="end">{_said(self.y.low)}</text>'
            f'<text x="{_LEFT - 4}" y="{_TOP + 10}" text-anchor="end">{_said(self.y.high)}</text>'
            f'<text transform="translate({_LEFT - 10} {_TOP + _HEIGHT / 2:g}) rotate(-90)" text-anchor="middle">'
            f"{escape(self.y.name)}</text></svg>"
        )

    def line(self, points: Sequence[tuple[float, float]], *, soft: bool = False) -> Markup:
        """Return a line through points, in their order; a soft one is dashed."""
        step = max(1, len(points) // _MOST)
        shown = [*points[:-1:step], points[-1]]
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(self._place, shown))
        if soft:
            return Markup(f'<polyline points="{drawn}" fill="none" stroke="var(--soft)" stroke-dasharray="4 4"/>')
        return Markup(f'<polyline points="{drawn}" fill="none" stroke="var(--main)" stroke-width="2"/>')

    def dots(self, points: Sequence[tuple[float, float]], *, radius: float = 2, opacity: float = 0.5) -> Markup:
        return join(
            Markup(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="var(--main)" fill-opacity="{opacity:g}"/>')
            for x, y in map(self._place, points)
        )

    def mark(self, point: tuple[float, float]) -> Markup:
        """Return a ring around a point that stands out."""
        x, y = self._place(point)
        return Markup(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="none" stroke="var(--bad)" stroke-width="2.5"/>')

    def _place(self, point: tuple[float, float]) -> tuple[float, float]:
        return _LEFT + self.x.share(point[0]) * _WIDTH, _TOP + (1 - self.y.share(point[1])) * _HEIGHT


def spread(rows: int) -> list[int]:
    """Return the positions of the rows that are drawn as dots: all, or some that are equally far apart."""
    many = min(_DOTS, rows)
    return [at * (rows - 1) // max(1, many - 1) for at in range(many)]


def figure(drawing: Markup, caption: str) -> Markup:
    return Markup(f"<figure>{drawing}<figcaption>{escape(caption)}</figcaption></figure>\n")


def _said(value: float) -> Markup:
    return escape(f"{value:.3g}")
