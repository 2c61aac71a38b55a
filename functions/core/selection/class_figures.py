"""How the answers of a classification differ from the truth, as a report shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from functions.core.selection.curves import at_labels, precision_recall_points, reliability, roc_points
from functions.core.selection.html import Markup, escape, table
from functions.core.selection.plot import Axis, Plot, figure
from functions.core.training.metrics import DrawnClasses, confusion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.training.class_answers import ClassAnswers

_WIDE = 12
"""Classes of a whole table; of more, the pairs that are taken for each other most often."""


def figures(classes: Sequence[str], y: np.ndarray, answers: ClassAnswers) -> list[Markup]:
    """Return the confusion by class, calibration, and for two classes ROC and precision by recall.

    `y` int64 [rows] are the true positions.
    """
    counted = np.asarray(confusion(y, answers))
    parts = [_whole(classes, counted) if len(classes) <= _WIDE else _pairs(classes, counted)]
    if len(classes) == 2 and len(np.unique(y)) == 2:
        parts += _curves(classes[1], y, answers)
    return [*parts, _calibration(classes, y, answers)]


def _whole(classes: Sequence[str], counted: np.ndarray) -> Markup:
    rows = []
    for name, line in zip(classes, counted.tolist(), strict=True):
        shares = (f"{count} ({count / sum(line):.0%})" if sum(line) else "0" for count in line)
        rows.append((escape(name), *map(escape, shares)))
    return table("Truth down, answer across: rows, and their share of the class", ("", *_numeric(classes)), rows)


def _pairs(classes: Sequence[str], counted: np.ndarray) -> Markup:
    wrong = counted * (1 - np.eye(len(classes), dtype=np.int64))
    rows = []
    for place in np.argsort(-wrong, axis=None, kind="stable")[:_WIDE].tolist():
        truth, answer = divmod(place, len(classes))
        if count := int(wrong[truth, answer]):
            share = f"{count / counted[truth].sum():.0%}"
            rows.append((escape(classes[truth]), escape(classes[answer]), escape(count), escape(share)))
    caption = f"What is taken for what most often, of {len(classes)} classes"
    return table(caption, ("truth", "answer", "#rows", "#share of the class"), rows)


def _numeric(names: Sequence[str]) -> list[str]:
    return [f"#{name}" for name in names]


def _curves(positive: str, y: np.ndarray, answers: ClassAnswers) -> list[Markup]:
    false, recall, precision = at_labels(y, answers.labels)
    area = DrawnClasses(y, answers, np.ones((1, len(y)))).of("roc_auc")[0]
    roc = Plot(x=Axis(name="false positive rate"), y=Axis(name="recall"), what=f"ROC curve with an area of {area:.4f}")
    drawn = roc.draw(
        roc.line([(0, 0), (1, 1)], soft=True),
        roc.line(roc_points(y, answers.probabilities)),
        roc.mark((false, recall)),
    )
    found = Plot(x=Axis(name="recall"), y=Axis(name="precision"), what="Precision by recall")
    share = float(np.mean(y == 1))
    ring = f"The ring is where the labels are: recall {recall:.3g}"
    return [
        figure(drawn, f"How many {positive} are found, against how many others are taken for one. {ring}."),
        figure(
            found.draw(
                found.line([(0, share), (1, share)], soft=True),
                found.line(precision_recall_points(y, answers.probabilities)),
                found.mark((recall, precision)),
            ),
            f"How many said to be {positive} are, by how many are found. {ring}, precision {precision:.3g}.",
        ),
    ]


def _calibration(classes: Sequence[str], y: np.ndarray, answers: ClassAnswers) -> Markup:
    said = f"probability of {classes[1]}" if len(classes) == 2 else "probability of the likeliest class"
    bins = reliability(y, answers.probabilities)
    plot = Plot(x=Axis(name=said), y=Axis(name="share that is true"), what="Calibration")
    points = [(x, share) for x, share, _ in bins]
    most = max(count for *_, count in bins)
    sizes = [plot.dots([(x, share)], radius=3 + 6 * (count / most) ** 0.5, opacity=0.7) for x, share, count in bins]
    drawn = plot.draw(plot.line([(0, 0), (1, 1)], soft=True), plot.line(points), *sizes)
    return figure(drawn, "What is said against what is true, by ten bins; a larger dot is more rows.")
