"""How the answers of a classification differ from the truth, as a report shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from functions.core.selection.curves import roc_points
from functions.core.selection.html import Markup, escape, roc, table
from functions.core.training.metrics import DrawnClasses, confusion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.training.class_answers import ClassAnswers


def figures(classes: Sequence[str], y: np.ndarray, answers: ClassAnswers) -> list[Markup]:
    """Return the confusion matrix and, for two classes, the ROC curve of answers to the true positions `y` [rows]."""
    counted = [
        (escape(name), *(escape(count) for count in line))
        for name, line in zip(classes, confusion(y, answers), strict=True)
    ]
    parts = [table("Truth down, answer across", ("", *(f"#{name}" for name in classes)), counted)]
    if len(classes) == 2:
        if len(np.unique(y)) < 2:
            return parts
        area = DrawnClasses(y, answers, np.ones((1, len(y)))).of("roc_auc")[0]
        curve = roc(roc_points(y, answers.probabilities), area)
        caption = f"How many {classes[1]} are found, against how many others are taken for one."
        parts.append(Markup(f"<figure>{curve}<figcaption>{escape(caption)}</figcaption></figure>\n"))
    return parts
