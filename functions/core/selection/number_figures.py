"""How the answers of a regression differ from the truth, as a report shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from functions.core.selection.html import Markup, bars, escape, number, table
from functions.core.selection.interval_figures import interval_figures
from functions.core.selection.plot import Axis, Plot, figure, spread
from models.readable import readable

if TYPE_CHECKING:
    from functions.core.training.number_answers import NumberAnswers
    from models.contract import Target

_SHARES = (0.5, 0.9, 0.95, 1.0)
_BINS = 25


def figures(target: Target, y: np.ndarray, answers: NumberAnswers, weight: np.ndarray | None = None) -> list[Markup]:
    """Return how far answers are from the true numbers `y` [rows], beside those of a model that knows their median.

    `weight` float64 [rows] is what the rows weigh, more than 0, if they do; a dot is a row whatever it weighs.
    """
    unit = f", in {target.unit}" if target.unit else ""
    errors = answers.values - y
    rows = "Rows that err" if weight is None else "By weight, rows that err"
    return [
        _quantiles(
            f"{rows} no more{unit}", errors, y - (np.median(y) if weight is None else _quantile(y, 0.5, weight)), weight
        ),
        _points(f"{target.name}{unit}", y, answers.values),
        _residuals(f"{target.name}{unit}", answers.values, errors),
        _histogram(f"Errors, answer less truth{unit}", errors, weight),
        *interval_figures(f"{target.name}{unit}", y, answers),
    ]


def _quantiles(caption: str, errors: np.ndarray, plain: np.ndarray, weight: np.ndarray | None) -> Markup:
    rows = [
        (escape(f"{share:.0%}"), *(number(_quantile(np.abs(those), share, weight)) for those in (errors, plain)))
        for share in _SHARES
    ]
    return table(caption, ("share", "#this model", "#always the median"), rows)


def _quantile(values: np.ndarray, share: float, weight: np.ndarray | None) -> float:
    """Return what a share of the values, or of their weight, does not exceed."""
    if weight is None:
        return float(np.quantile(values, share))
    return float(np.quantile(values, share, method="inverted_cdf", weights=weight))


def _points(name: str, y: np.ndarray, values: np.ndarray) -> Markup:
    chosen = spread(len(y))
    low, high = float(min(y.min(), values.min())), float(max(y.max(), values.max()))
    plot = Plot(x=Axis.over("truth", low, high), y=Axis.over("answer", low, high), what=f"{name}: answer by truth")
    points = list(zip(y[chosen].tolist(), values[chosen].tolist(), strict=True))
    return figure(plot.draw(plot.line([(low, low), (high, high)], soft=True), plot.dots(points)), name)


def _residuals(name: str, values: np.ndarray, errors: np.ndarray) -> Markup:
    chosen = spread(len(values))
    far = float(np.abs(errors).max()) or 1.0
    low, high = float(values.min()), float(values.max())
    plot = Plot(x=Axis.over("answer", low, high), y=Axis.over("error", -far, far), what=f"{name}: residuals")
    points = list(zip(values[chosen].tolist(), errors[chosen].tolist(), strict=True))
    drawn = plot.draw(plot.line([(low, 0), (high, 0)], soft=True), plot.dots(points))
    return figure(drawn, f"{name}: answer less truth, by answer")


def _histogram(caption: str, errors: np.ndarray, weight: np.ndarray | None) -> Markup:
    counts, edges = np.histogram(errors, bins=_BINS, weights=weight)
    zero = "inside" if edges[0] <= 0 <= edges[-1] else "outside"
    told = f"from {readable(edges[0])} to {readable(edges[-1])}, zero {zero}"
    shares = counts if weight is None else counts / counts.max()
    said = ", ".join(map(str, counts.tolist()) if weight is None else (readable(count) for count in counts.tolist()))
    drawing = bars(shares.tolist(), f"{caption}: {said}")
    return figure(drawing, f"{caption}: {told}")
