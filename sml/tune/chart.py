"""Latency over what it costs, as SVG in the colours of the page around it: a point for each size."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from functions.core.selection.html import Markup, escape, join

WIDTH, HEIGHT = 460, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 60, 26, 44
SPREAD = 8
"""How many times the least the most may be for an axis in equal steps; beyond, each step is a factor."""
TICKS = 4


@dataclass(frozen=True, kw_only=True)
class Point:
    x: float
    y: float
    name: str
    title: str
    good: bool
    """Whether no other point beats it."""
    deployed: bool


def chart(points: Sequence[Point], x_name: str, y_name: str) -> Markup:
    """Draw points and join those that no other beats."""
    across = _Axis.of([point.x for point in points], LEFT, WIDTH - RIGHT)
    up = _Axis.of([point.y for point in points], HEIGHT - BOTTOM, TOP)
    good = sorted((point for point in points if point.good), key=lambda point: (point.x, -point.y))
    path = " ".join(f"{across.at(point.x):.1f},{up.at(point.y):.1f}" for point in good)
    parts = [*_grid(across, up, x_name, y_name)]
    parts.append(Markup(f'<polyline points="{path}" fill="none" stroke="var(--main)" stroke-dasharray="4 3"/>'))
    parts += [_dot(point, across.at(point.x), up.at(point.y)) for point in points]
    parts += _names(points, across, up)
    label = escape(f"{y_name} over {x_name}, a point for each size of memory")
    return Markup(
        f'<svg role="img" aria-label="{label}" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"{join(parts)}</svg>"
    )


@dataclass(frozen=True, kw_only=True)
class _Axis:
    at: Callable[[float], float]
    ticks: Sequence[float]

    @classmethod
    def of(cls, values: Sequence[float], start: float, end: float) -> _Axis:
        low, high = min(values), max(values)
        far = low > 0 and high / low > SPREAD
        scale = math.log if far else float
        first, last = scale(low), scale(high)
        pad = (last - first) * 0.08 or abs(last) * 0.1 or 1.0
        return cls(
            at=lambda value: start + (scale(value) - first + pad) / (last - first + 2 * pad) * (end - start),
            ticks=_factors(low, high) if far else _steps(low, high),
        )


def _steps(low: float, high: float) -> list[float]:
    """Return round numbers in equal steps between two values; the value itself where there is one."""
    if high <= low:
        return [low]
    rough = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough * (1 - 1e-9))
    return [count * step for count in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _factors(low: float, high: float) -> list[float]:
    """Return the numbers between two values that begin with 1, 2 or 5, or with 1 alone where these are many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    digits = (1, 2, 5) if len(powers) <= TICKS else (1,)
    return [digit * 10.0**power for power in powers for digit in digits if low <= digit * 10.0**power <= high]


def _grid(across: _Axis, up: _Axis, x_name: str, y_name: str) -> list[Markup]:
    parts = []
    for tick in up.ticks:
        y = up.at(tick)
        parts.append(Markup(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="var(--line)"/>'))
        parts.append(Markup(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(_number(tick))}</text>'))
    parts += [
        Markup(
            f'<text x="{across.at(tick):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">'
            f"{escape(_number(tick))}</text>"
        )
        for tick in across.ticks
    ]
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(Markup(f'<text x="{middle:g}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x_name)}</text>'))
    parts.append(Markup(f'<text x="{LEFT}" y="{TOP - 12}">{escape(y_name)}</text>'))
    return parts


def _dot(point: Point, x: float, y: float) -> Markup:
    fill = "var(--main)" if point.good else "var(--back)"
    ring = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" fill="none" stroke="var(--good)" stroke-width="2"/>'
    return Markup(
        f'{ring if point.deployed else ""}<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{fill}" stroke="var(--main)" '
        f'stroke-width="1.5"><title>{escape(point.title)}</title></circle>'
    )


def _names(points: Sequence[Point], across: _Axis, up: _Axis) -> list[Markup]:
    """Write the name of each point where no other name is: to its right, else above, below, left of it, or aslant."""
    # A dot takes up as much as a short name does.
    taken = [(across.at(point.x) - 6, up.at(point.y) + 4, 12.0) for point in points]
    parts = []
    for point in sorted(points, key=lambda one: not one.good):
        x, y, wide = across.at(point.x), up.at(point.y), 6.5 * len(point.name)
        places = [(x + 12, y + 4), (x - wide / 2, y - 12), (x - wide / 2, y + 22), (x - 12 - wide, y + 4)]
        places += [(x + 12, y - 12), (x + 12, y + 22), (x - 12 - wide, y - 12), (x - 12 - wide, y + 22)]
        free = (place for place in places if not any(_meet((*place, wide), other) for other in taken))
        place = next(free, places[0])
        taken.append((*place, wide))
        weight = ' style="fill:var(--ink)"' if point.good else ""
        parts.append(Markup(f'<text x="{place[0]:.1f}" y="{place[1]:.1f}"{weight}>{escape(point.name)}</text>'))
    return parts


def _meet(one: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
    return abs(one[1] - other[1]) < 12 and one[0] < other[0] + other[2] and other[0] < one[0] + one[2]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"
