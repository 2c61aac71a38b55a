"""Between which values a metric would lie on other rows like these.

A share of the rows has the interval of a share. What else is measured has a bootstrap of the holdout, by percentiles; a
perfect score, which every draw repeats, has the end that so many rows can prove.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.dataset.effective_rows import effective
from functions.core.selection import shares
from functions.core.training.class_answers import ClassAnswers
from functions.core.training.metrics import UndefinedMetric
from functions.core.training.task import counting
from models.task import lower_is_better

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from functions.core.training.answers import Answers
    from functions.core.training.task import Task

Interval = tuple[float, float]
"""The lower end and the upper one: 95 of 100 draws lie between them."""
DRAWS = 400
LEAST_DRAWS = 100
WORK = 20_000_000
"""Rows times classes of all draws together. Beyond it fewer are drawn; where `LEAST_DRAWS` would be more, a sample of
the rows stands for all of them, each of its rows as often as it would be drawn among all."""
FEW = 20
"""Rows of a class: with fewer, a draw may have none of it, and each class is drawn by itself."""
_AT_ONCE = 2_000_000
"""Rows of the draws that are in memory together."""
_SEED = 20
_PERCENTILES = (2.5, 97.5)
_ALMOST = 1e-12
"""What a perfect score lacks by rounding."""
_WORST = MappingProxyType({"brier": 2.0, "calibration_error": 1.0})
"""The errors that have a greatest value, and that: of two classes the Brier score has half of it at most."""


def intervals(
    task: Task[Any], y: np.ndarray, answers: Answers, measures: Sequence[str], weight: np.ndarray | None = None
) -> dict[str, Interval]:
    """Return the interval of each metric for the truth `y` [rows]; one that has none is left out.

    The same rows give the same draws, whatever they weigh; `weight` [rows] is what each counts as often as it is drawn.
    A metric has no interval where it is not defined for the rows, or for half of the draws.
    """
    [values] = _drawn(task, y, [answers], measures, weight)
    weighs = np.ones(len(y)) if weight is None else weight
    ends = {name: _honest(name, y, answers, weighs, _ends(drawn)) for name, drawn in values.items()}
    return {name: interval for name, interval in ends.items() if interval is not None}


def difference(
    task: Task[Any], y: np.ndarray, one: Answers, other: Answers, measure: str, weight: np.ndarray | None = None
) -> Interval | None:
    """Return the interval of how much more of a metric `one` has than `other`, on the same rows of each draw."""
    ours, theirs = _drawn(task, y, [one, other], [measure], weight)
    return _ends(ours[measure] - theirs[measure]) if measure in ours and measure in theirs else None


def _honest(
    measure: str, y: np.ndarray, answers: Answers, weight: np.ndarray, ends: Interval | None
) -> Interval | None:
    """Return the interval of a metric, by that of its draws: another one for a share, and for a perfect score.

    Draws of rows that are all right are all right: that they are alike says nothing of other rows. A score of 1 has as
    its lower end what so many right rows prove of a share, and an error between 0 and 1 the same from the other side.
    Of an error without an upper bound, and of R2, which has no lower one, they prove nothing: None.
    """
    if ends is None:
        return None
    if isinstance(answers, ClassAnswers) and (counted := _counted(measure, y, answers, weight)) is not None:
        return shares.interval(*counted)
    less = lower_is_better(measure)
    if max(ends) > _ALMOST if less else min(ends) < 1 - _ALMOST:
        return ends
    unproven = 1 - shares.least(_fewest(y, weight))
    if not less:
        return None if measure == "r2" else (1 - unproven, 1.0)
    return (0.0, _WORST[measure] * unproven) if measure in _WORST else None


def _counted(measure: str, y: np.ndarray, answers: ClassAnswers, weight: np.ndarray) -> tuple[float, float] | None:
    """Return how many rows have what a metric is the share of, and of how many; None for one that is no such share.

    Rows that weigh are as many as they count as.
    """
    right = y == answers.labels
    positive = answers.probabilities.shape[1] - 1
    if measure == "accuracy":
        among = np.ones(len(y), bool)
    elif measure in ("precision", "recall") and positive == 1:
        among = (answers.labels if measure == "precision" else y) == positive
    else:
        return None
    whole = float(weight[among].sum())
    rows = effective(weight[among])
    return (float(weight[right & among].sum()) / whole * rows, rows) if whole else (0.0, 0.0)


def _fewest(y: np.ndarray, weight: np.ndarray) -> float:
    """Return the rows of the class that has fewest, of those that are there; of numbers all rows."""
    if y.dtype.kind != "i":
        return effective(weight)
    return min((effective(weight[y == label]) for label in np.unique(y[weight > 0])), default=float(len(y)))


def _ends(drawn: np.ndarray) -> Interval | None:
    known = drawn[np.isfinite(drawn)]
    if len(known) <= len(drawn) / 2:
        return None
    lower, upper = np.percentile(known, _PERCENTILES).tolist()
    return lower, upper


def _drawn(
    task: Task[Any], y: np.ndarray, several: Sequence[Answers], measures: Sequence[str], weight: np.ndarray | None
) -> list[dict[str, np.ndarray]]:
    """Return what each draw makes of each metric, float64 [draws], for each of several answers to the same rows."""
    if weight is not None:
        if not weight.any():
            return [{} for _ in several]
        y, several, weight = counting(y, several, weight)
    draws, sampled = _plan(y)
    every = _counts(y, draws) if sampled is None else _counts_of_a_sample(len(sampled), len(y), draws)
    parts: list[dict[str, list[np.ndarray]]] = [{} for _ in several]
    some = several if sampled is None else [answers.of(sampled) for answers in several]
    truth = y if sampled is None else y[sampled]
    weighs = weight if sampled is None or weight is None else weight[sampled]
    defined = [measure for measure in measures if _is_defined(task, measure, truth, some[0])]
    for counts in every:
        for answers, found in zip(some, parts, strict=True):
            drawn = task.drawn(truth, answers, counts, weighs)
            for measure in defined:
                found.setdefault(measure, []).append(drawn.of(measure))
    values = [{measure: np.concatenate(found[measure]) for measure in found} for found in parts]
    if sampled is None:
        return values
    return [
        {
            name: drawn + task.score(name, y, whole, weight) - task.score(name, truth, part, weighs)
            for name, drawn in found.items()
        }
        for found, whole, part in zip(values, several, some, strict=True)
    ]


def _is_defined(task: Task[Any], measure: str, y: np.ndarray, answers: Answers) -> bool:
    try:
        task.score(measure, y, answers)
    except UndefinedMetric:
        return False
    return True


def _plan(y: np.ndarray) -> tuple[int, np.ndarray | None]:
    """Return how many draws are made of these rows, and the positions of the sample that stands for them, if one does.

    A row costs as much as there are classes.
    """
    cost = int(y.max(initial=0)) + 1 if y.dtype.kind == "i" else 1
    most = WORK // (LEAST_DRAWS * cost)
    if len(y) <= most:
        return int(np.clip(WORK // (max(1, len(y)) * cost), LEAST_DRAWS, DRAWS)), None
    return LEAST_DRAWS, np.sort(np.random.default_rng(_SEED).choice(len(y), most, replace=False))


def _counts_of_a_sample(sample: int, rows: int, draws: int) -> Iterator[np.ndarray]:
    """Yield how often each row of a sample is drawn where as many are drawn as there are rows."""
    rng = np.random.default_rng(_SEED)
    some = max(1, _AT_ONCE // sample)
    for start in range(0, draws, some):
        yield rng.poisson(rows / sample, (min(some, draws - start), sample)).astype(np.float64)


def _counts(y: np.ndarray, draws: int) -> Iterator[np.ndarray]:
    """Yield how often each row is in each draw, float64 [some draws, rows]."""
    rows = len(y)
    strata = _strata(y)
    rng = np.random.default_rng(_SEED)
    some = max(1, _AT_ONCE // max(1, rows))
    for start in range(0, draws, some):
        count = min(some, draws - start)
        counts = np.empty((count, rows))
        for draw in range(count):
            for members in strata:
                chosen = members[rng.integers(0, len(members), len(members))]
                counts[draw, members] = np.bincount(chosen, minlength=rows)[members]
        yield counts


def _strata(y: np.ndarray) -> list[np.ndarray]:
    """Return the positions that are drawn among themselves: each class, where one has few rows, or all together."""
    if y.dtype.kind == "i":
        classes, counts = np.unique(y, return_counts=True)
        if counts.min(initial=FEW) < FEW:
            return [np.flatnonzero(y == label) for label in classes]
    return [np.arange(len(y))]
