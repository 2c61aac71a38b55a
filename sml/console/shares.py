"""Two shares of each cell, drawn side by side as SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 300, 60
MOST = 40
"""Cells that are drawn, the first."""


def pairs(cells: Sequence[str], before: Sequence[float], after: Sequence[float], label: str) -> Markup:
    """Return two bars for each cell, as high as its shares, with a title that says them."""
    shown = list(zip(cells, before, after, strict=True))[:MOST]
    highest = max((max(one, other) for _, one, other in shown), default=0.0) or 1.0
    wide = WIDTH / max(len(shown), 1)
    parts = []
    for at, (cell, one, other) in enumerate(shown):
        said = f"{cell}: {one:.1%} in training, {other:.1%} captured"
        parts.append(Markup("<g><title>{}</title>").format(said))
        for place, (share, kind) in enumerate(((one, "before"), (other, "after"))):
            high = round(share / highest * HEIGHT, 1)
            x, width = round(wide * (at + 0.1 + 0.4 * place), 1), round(wide * 0.4, 1)
            bar = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>')
            parts.append(bar.format(kind, x, round(HEIGHT - high, 1), width, high))
        parts.append(Markup("</g>"))
    drawn = Markup('<svg class="pairs" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>')
    return drawn.format(WIDTH, HEIGHT, label, Markup("").join(parts))
