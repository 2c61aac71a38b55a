"""Whether truths lie within the intervals of a regression, as a report shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from functions.core.selection.html import Markup, escape, number, table
from functions.core.selection.plot import Axis, Plot, figure, spread
from models.readable import readable

if TYPE_CHECKING:
    from functions.core.training.number_answers import Ends, NumberAnswers

_TENTHS = 10


def interval_figures(name: str, y: np.ndarray, answers: NumberAnswers) -> list[Markup]:
    """Return the intervals of answers beside the true numbers `y` [rows], by the answer; nothing where there are none.

    An interval may hold nine of ten truths on the whole, and yet few of those that are large.
    """
    if answers.ends is None or not len(y):
        return []
    order = np.argsort(answers.values, kind="stable")
    y, values, ends = y[order], answers.values[order], answers.ends.of(order)
    within = (ends.low <= y) & (y <= ends.high)
    return [_band(name, y, ends, within), _tenths(name, values, ends, within)]


def _band(name: str, y: np.ndarray, ends: Ends, within: np.ndarray) -> Markup:
    lowest, highest = float(min(y.min(), ends.low.min())), float(max(y.max(), ends.high.max()))
    x, axis = Axis.over("rows, by their answer", 1, len(y)), Axis.over("truth", lowest, highest)
    plot = Plot(x=x, y=axis, what=f"{name}: truth and interval, by answer")
    places = np.arange(1, len(y) + 1)
    chosen = spread(len(y))
    low, high, inside, outside = (
        list(zip(places[rows].tolist(), numbers[rows].tolist(), strict=True))
        for numbers, rows in (
            (ends.low, chosen),
            (ends.high, chosen),
            (y, [row for row in chosen if within[row]]),
            (y, [row for row in chosen if not within[row]]),
        )
    )
    rings = [plot.mark(point) for point in outside]
    drawn = plot.draw(plot.line(low, soft=True), plot.line(high, soft=True), plot.dots(inside), *rings)
    return figure(drawn, f"{name}: truth and the ends of its interval, rows by their answer; outside are rings")


def _tenths(name: str, values: np.ndarray, ends: Ends, within: np.ndarray) -> Markup:
    parts = [part for part in np.array_split(np.arange(len(values)), _TENTHS) if len(part)]
    rows = [
        (
            escape(f"{readable(values[part[0]])} to {readable(values[part[-1]])}"),
            escape(len(part)),
            number(float(within[part].mean()), 3),
            number(float((ends.high - ends.low)[part].mean())),
        )
        for part in parts
    ]
    return table(f"Intervals by tenths of the answer: {name}", ("answer", "#rows", "#coverage", "#mean width"), rows)
