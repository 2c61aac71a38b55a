"""Metrics of labels and probabilities, without scikit-learn (docs/decisions/0004); tests compare the two.

Each is computed for many draws of the rows at once: how often each row counts is a matrix [draws, rows]. Where rows
weigh, each counts as often times its weight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.task import METRICS, parts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.training.class_answers import ClassAnswers

BINS = 10
"""Of probabilities, equally wide: in each, what was said is compared with what is true."""
ENOUGH = 1e-12
"""What a precision, or half of a weight, may lack by rounding."""


class UndefinedMetric(ValueError):
    """A metric is not defined for these rows. The text says why."""


class DrawnClasses:
    """Answers to rows of classes, and how often each row counts in each draw."""

    def __init__(
        self, y: np.ndarray, answers: ClassAnswers, counts: np.ndarray, weight: np.ndarray | None = None
    ) -> None:
        """`y` int64 [rows] are the true classes, as positions; `counts` are float64 [draws, rows].

        `weight` float64 [rows] is what each row weighs, more than 0; all the same where it is None.
        """
        self._y, self._answers = y, answers
        self._weights = counts if weight is None else counts * weight
        self._classes = answers.probabilities.shape[1]
        self._positive = range(1, self._classes) if self._classes == 2 else range(self._classes)
        self._counted: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
        self._found: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def of(self, measured: str) -> np.ndarray:
        """Return one metric of each draw, float64 [draws]; NaN where a draw lacks what the metric needs.

        Those that ask about labels take the answers' own. Of two classes the last is the positive one; of more, the
        metric is the macro average, one against the rest; `brier` is then the sum over the classes, and
        `calibration_error` is of the likeliest class. Raise `UndefinedMetric` where all rows together do not define it.
        """
        metric, at = parts(measured)
        _require(metric, measured, self._y, self._classes, self._positive)
        with np.errstate(divide="ignore", invalid="ignore"):
            if (of_rows := _OF_ROWS.get(metric)) is not None:
                return mean(of_rows(self._y, self._answers), self._weights)
            if (of_labels := _OF_LABELS.get(metric)) is not None:
                compared = range(self._classes) if metric == "balanced_accuracy" else self._positive
                return np.mean([of_labels(*self._said(label)) for label in compared], axis=0)
            if (of_order := _OF_ORDER.get(metric)) is not None:
                return np.mean([of_order(*self._in_order(label), at) for label in self._positive], axis=0)
            if metric == "calibration_error":
                return _calibration_error(*sure(self._y, self._answers.probabilities), self._weights)
        raise ValueError(f"{measured} is no metric of classes; accepted: {', '.join(METRICS['classification'])}")

    def _said(self, label: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return how many rows rightly have a label, are of its class, and have the label: float64 [draws] each.

        Of rows that weigh, it is their weight.
        """
        if label not in self._counted:
            true, said = self._y == label, self._answers.labels == label
            rows = np.column_stack([true & said, true, said]).astype(np.float64)
            right, there, told = (self._weights @ rows).T
            self._counted[label] = (right, there, told)
        return self._counted[label]

    def _in_order(self, label: int) -> tuple[np.ndarray, np.ndarray]:
        if label in self._found:
            return self._found[label]
        counted = found(self._y == label, self._answers.probabilities[:, label], self._weights)
        if self._classes == 2:  # of many classes they would take much memory
            self._found[label] = counted
        return counted


def _require(metric: str, measured: str, y: np.ndarray, classes: int, positive: range) -> None:
    """Raise `UndefinedMetric` where rows lack what a metric needs."""
    if not len(y):
        raise UndefinedMetric("there are no rows")
    there = np.bincount(y, minlength=classes) > 0
    if metric in ("roc_auc", "balanced_accuracy") and not there.all():
        raise UndefinedMetric(f"not every class is among the rows, and {measured} compares them")
    if metric in ("average_precision", "recall_at_precision", "recall") and not there[positive].all():
        raise UndefinedMetric(f"no row is of a class that {measured} looks for")


def mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean of the rows' values, [rows], of each draw."""
    return weights @ values.astype(np.float64) / weights.sum(axis=1)


def _hits(y: np.ndarray, answers: ClassAnswers) -> np.ndarray:
    return answers.labels == y


def _surprise(y: np.ndarray, answers: ClassAnswers) -> np.ndarray:
    least = np.finfo(answers.probabilities.dtype).eps
    return -np.log(np.clip(answers.probabilities[np.arange(len(y)), y], least, 1 - least))


def _squares(y: np.ndarray, answers: ClassAnswers) -> np.ndarray:
    """Return how far the probabilities of each row are from the truth, squared, [rows]."""
    probabilities = answers.probabilities
    if probabilities.shape[1] == 2:
        return (probabilities[:, 1] - y) ** 2
    own = probabilities[np.arange(len(y)), y]
    return (probabilities**2).sum(axis=1) - own**2 + (1 - own) ** 2


def _recall(right: np.ndarray, there: np.ndarray, _: np.ndarray) -> np.ndarray:
    return right / there


def _precision(right: np.ndarray, _: np.ndarray, told: np.ndarray) -> np.ndarray:
    """Return how often what is said is true; 0 where it is never said, as scikit-learn does."""
    return share(right, told)


def _f1(right: np.ndarray, there: np.ndarray, told: np.ndarray) -> np.ndarray:
    return share(2 * right, there + told)


def share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole, and 0 for a part of nothing."""
    return part / np.where(whole > 0, whole, 1)


def found(positive: np.ndarray, scored: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many positive and how many other rows score at least as much as each score that there is.

    The scores come in falling order: float64 [draws, scores] each. Of rows that weigh, it is their weight.
    """
    order = np.argsort(-scored, kind="stable")
    ordered, last = weights[:, order], ends_of_ties(scored[order])
    # Not one as what the other leaves: weights that are no whole numbers would leave a rest where there is none.
    true = np.cumsum(ordered * positive[order], axis=1)[:, last]
    false = np.cumsum(ordered * ~positive[order], axis=1)[:, last]
    return true, false


def ends_of_ties(scored: np.ndarray) -> np.ndarray:
    """Return the last position of each score among scores in order, [scores]."""
    return np.flatnonzero(np.append(np.diff(scored) != 0, True))


def _area(true: np.ndarray, false: np.ndarray, _: float) -> np.ndarray:
    """Return the area under the ROC curve: how often a positive row scores above another; ties count half."""
    before = np.hstack([np.zeros((len(true), 1)), true[:, :-1]])
    steps = np.diff(false, axis=1, prepend=0)
    return ((true + before) * steps).sum(axis=1) / (2 * true[:, -1] * false[:, -1])


def _step(true: np.ndarray, false: np.ndarray, _: float) -> np.ndarray:
    """Return the average precision: the precision at each score, by how much of the recall it adds."""
    precisions = share(true, true + false)
    return (np.diff(true, axis=1, prepend=0) * precisions).sum(axis=1) / true[:, -1]


def _recall_at(true: np.ndarray, false: np.ndarray, least: float) -> np.ndarray:
    """Return the greatest recall of a threshold whose precision is at least so much; 0 where there is none."""
    precise = true >= least * (true + false) * (1 - ENOUGH)
    return np.where(precise, true, 0).max(axis=1) / true[:, -1]


def sure(y: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what was said, float64 [rows], and whether it is true, bool [rows], as calibration compares them.

    Of two classes it is the probability of the last; of more, that of the likeliest.
    """
    if probabilities.shape[1] == 2:
        return probabilities[:, 1], y == 1
    likeliest = probabilities.argmax(axis=1)
    return probabilities[np.arange(len(y)), likeliest], likeliest == y


def bins_of(said: np.ndarray) -> np.ndarray:
    """Return the bin of each probability, int64 [rows]: of `BINS` that are equally wide."""
    return np.clip((said * BINS).astype(np.int64), 0, BINS - 1)


def _calibration_error(said: np.ndarray, true: np.ndarray, weights: np.ndarray) -> np.ndarray:
    apart = np.zeros((len(said), BINS))
    apart[np.arange(len(said)), bins_of(said)] = said - true
    return np.abs(weights @ apart).sum(axis=1) / weights.sum(axis=1)


def confusion(y: np.ndarray, answers: ClassAnswers, weight: np.ndarray | None = None) -> list[list[float]]:
    """Return the confusion matrix, rows by true class, columns by predicted class: how many rows, or their weight."""
    classes = answers.probabilities.shape[1]
    pairs = np.bincount(y * classes + answers.labels, weights=weight, minlength=classes**2)
    return pairs.reshape(classes, classes).tolist()


_OF_ROWS: Mapping[str, Callable[[np.ndarray, ClassAnswers], np.ndarray]] = {
    "accuracy": _hits,
    "log_loss": _surprise,
    "brier": _squares,
}
"""The means of a number that each row has."""
_OF_LABELS: Mapping[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "balanced_accuracy": _recall,
    "recall": _recall,
    "precision": _precision,
    "f1": _f1,
}
"""Those of labels, from how many are right, how many there should be, and how many there are."""
_OF_ORDER: Mapping[str, Callable[[np.ndarray, np.ndarray, float], np.ndarray]] = {
    "roc_auc": _area,
    "average_precision": _step,
    "recall_at_precision": _recall_at,
}
"""Those of the order of the rows by a probability, from what `found` counts."""
