"""Small drawings as inline SVG, each with a description for those who do not see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.page import Markup, escape, join

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIDE = 240
_MARGIN = 32
_POINTS = 200


def roc(points: Sequence[tuple[float, float]], area: float) -> Markup:
    """The true positive rate over the false positive rate, with the diagonal of mere chance."""
    step = max(1, len(points) // _POINTS)
    shown = [*points[:-1:step], points[-1]]
    line = " ".join(f"{_MARGIN + x * _SIDE:.1f},{_MARGIN / 2 + (1 - y) * _SIDE:.1f}" for x, y in shown)
    left, right, top, bottom = _MARGIN, _MARGIN + _SIDE, _MARGIN / 2, _MARGIN / 2 + _SIDE
    width, height = right + _MARGIN / 2, bottom + _MARGIN
    return Markup(
        f'<svg role="img" width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}">'
        f"<title>{escape(f'ROC curve with an area of {area:.4f}')}</title>"
        f'<rect x="{left:g}" y="{top:g}" width="{_SIDE}" height="{_SIDE}" fill="none" stroke="var(--line)"/>'
        f'<line x1="{left:g}" y1="{bottom:g}" x2="{right:g}" y2="{top:g}" stroke="var(--line)" stroke-dasharray="4 4"/>'
        f'<polyline points="{line}" fill="none" stroke="var(--main)" stroke-width="2"/>'
        f'<text x="{left:g}" y="{bottom + 16:g}">0</text><text x="{right - 6:g}" y="{bottom + 16:g}">1</text>'
        f'<text x="{left + 60:g}" y="{bottom + 28:g}">false positive rate</text>'
        f'<text x="{left - 12:g}" y="{top + 8:g}">1</text>'
        f'<text transform="translate({left - 8:g} {bottom - 70:g}) rotate(-90)">true positive rate</text></svg>'
    )


def bars(counts: Sequence[int], what: str) -> Markup:
    """A row of bars, the tallest filling the height."""
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
