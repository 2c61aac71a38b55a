"""How the answers of a classification differ from the truth, as a report shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from functions.core.selection.curves import at_labels, precision_recall_points, reliability, roc_points
from functions.core.selection.html import Markup, escape, table
from functions.core.selection.plot import Axis, Plot, figure
from functions.core.training.metrics import DrawnClasses, confusion
from models.readable import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.training.class_answers import ClassAnswers

_WIDE = 12
"""Classes of a whole table; of more, the pairs that are taken for each other most often."""


def figures(
    classes: Sequence[str], y: np.ndarray, answers: ClassAnswers, weight: np.ndarray | None = None
) -> list[Markup]:
    """Return the confusion by class, calibration, and for two classes ROC and precision by recall.

    `y` int64 [rows] are the true positions, `weight` float64 [rows] what the rows weigh, more than 0, if they do.
    """
    counted, what = np.asarray(confusion(y, answers, weight)), "rows" if weight is None else "weight"
    parts = [_whole(classes, counted, what) if len(classes) <= _WIDE else _pairs(classes, counted, what)]
    weighs = np.ones(len(y)) if weight is None else weight
    if len(classes) == 2 and len(np.unique(y)) == 2:
        parts += _curves(classes[1], y, answers, weighs)
    return [*parts, _calibration(classes, y, answers, weighs, what)]


def _whole(classes: Sequence[str], counted: np.ndarray, what: str) -> Markup:
    rows = []
    for name, line in zip(classes, counted.tolist(), strict=True):
        shares = (f"{_count(count)} ({count / sum(line):.0%})" if sum(line) else "0" for count in line)
        rows.append((escape(name), *map(escape, shares)))
    told = "rows, and their" if what == "rows" else "the weight of the rows, and its"
    return table(f"Truth down, answer across: {told} share of the class", ("", *_numeric(classes)), rows)


def _count(count: float) -> str:
    """Return how many rows there are, or what they weigh."""
    return str(count) if isinstance(count, int) else readable(count)


def _pairs(classes: Sequence[str], counted: np.ndarray, what: str) -> Markup:
    wrong = counted * (1 - np.eye(len(classes), dtype=np.int64))
    rows = []
    for place in np.argsort(-wrong, axis=None, kind="stable")[:_WIDE].tolist():
        truth, answer = divmod(place, len(classes))
        if count := wrong[truth, answer].item():
            share = f"{count / counted[truth].sum():.0%}"
            rows.append((escape(classes[truth]), escape(classes[answer]), escape(_count(count)), escape(share)))
    caption = f"What is taken for what most often, of {len(classes)} classes"
    return table(caption, ("truth", "answer", f"#{what}", "#share of the class"), rows)


def _numeric(names: Sequence[str]) -> list[str]:
    return [f"#{name}" for name in names]


def _curves(positive: str, y: np.ndarray, answers: ClassAnswers, weight: np.ndarray) -> list[Markup]:
    false, recall, precision = at_labels(y, answers.labels, weight)
    area = DrawnClasses(y, answers, weight[np.newaxis]).of("roc_auc")[0]
    roc = Plot(x=Axis(name="false positive rate"), y=Axis(name="recall"), what=f"ROC curve with an area of {area:.4f}")
    drawn = roc.draw(
        roc.line([(0, 0), (1, 1)], soft=True),
        roc.line(roc_points(y, answers.probabilities, weight)),
        roc.mark((false, recall)),
    )
    found = Plot(x=Axis(name="recall"), y=Axis(name="precision"), what="Precision by recall")
    share = float(np.average(y == 1, weights=weight))
    ring = f"The ring is where the labels are: recall {recall:.3g}"
    return [
        figure(drawn, f"How many {positive} are found, against how many others are taken for one. {ring}."),
        figure(
            found.draw(
                found.line([(0, share), (1, share)], soft=True),
                found.line(precision_recall_points(y, answers.probabilities, weight)),
                found.mark((recall, precision)),
            ),
            f"How many said to be {positive} are, by how many are found. {ring}, precision {precision:.3g}.",
        ),
    ]


def _calibration(classes: Sequence[str], y: np.ndarray, answers: ClassAnswers, weight: np.ndarray, what: str) -> Markup:
    said = f"probability of {classes[1]}" if len(classes) == 2 else "probability of the likeliest class"
    bins = reliability(y, answers.probabilities, weight)
    plot = Plot(x=Axis(name=said), y=Axis(name="share that is true"), what="Calibration")
    points = [(x, share) for x, share, _ in bins]
    most = max(count for *_, count in bins)
    sizes = [plot.dots([(x, share)], radius=3 + 6 * (count / most) ** 0.5, opacity=0.7) for x, share, count in bins]
    drawn = plot.draw(plot.line([(0, 0), (1, 1)], soft=True), plot.line(points), *sizes)
    return figure(drawn, f"What is said against what is true, by ten bins; a larger dot is more {what}.")
