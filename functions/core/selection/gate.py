"""The gate: what a candidate must prove on rows that no experiment saw, before it may be registered."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.dataset.effective_rows import rows_in_words
from functions.core.onnx.session import BadModel, ModelFailure
from functions.core.registry.versions import features_of
from functions.core.selection import intervals
from functions.core.selection.check import Check
from functions.core.selection.exactness import answers_of, compare, rows_asked, tensor_of
from functions.core.selection.gaps import check_gap
from functions.core.selection.promises import check_promise
from functions.core.serving.opening import open_trained
from functions.core.training.answers import TOLERANCE
from functions.core.training.choice import task_of
from functions.core.training.metrics import UndefinedMetric
from models import light
from models.gate import bound_of
from models.readable import readable
from models.task import lower_is_better

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.dataset.dataset import Dataset
    from functions.core.registry.versions import Version
    from functions.core.selection.candidate import Candidate
    from functions.core.serving.tabular import Tabular
    from functions.core.training.answers import Answers
    from models.contract import Contract
    from models.feature import Feature
    from models.gate import Slice

MARGIN = "margin over the champion"
_LATENCY_RUNS = 50
_ROUNDING = 1e-12
_NO_MEANING = frozenset({"minimum", "maximum", "description", "rare_below"})


@dataclass(frozen=True, kw_only=True)
class Champion:
    """The live version's answers to the rows of the holdout, or why it cannot be asked."""

    answers: Answers | None
    why_not: str = ""
    seen: str = ""
    """That it was trained on rows of the holdout, or may have been; empty where it was not."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    checks: list[Check]
    answers: Answers | None
    """The candidate's own to the rows of the holdout; None where it does not serve as trained."""
    opened: Tabular | None = None
    """The candidate, where it serves as trained."""

    @property
    def failed(self) -> list[Check]:
        return [check for check in self.checks if not check.passed]


def judge(contract: Contract, candidate: Candidate, champion: Champion, dataset: Dataset) -> Verdict:
    """Run every check: the first on every row, the others on the holdout, by what callers get."""
    asked = rows_asked(contract, dataset, candidate.answers)
    try:
        opened, complaint = _opened(candidate.version)
        answers = answers_of(contract, opened, asked)
    except (BadModel, ModelFailure) as problem:
        return Verdict(checks=[_proof(str(problem))], answers=None)
    proof = _prove(contract, candidate, asked, answers, complaint)
    if not proof.passed:
        return Verdict(checks=[proof], answers=None)
    x, y, weight = dataset.x[dataset.holdout], dataset.y[dataset.holdout], dataset.weight_of(dataset.holdout)
    holdout = task_of(contract).beside(answers.of(slice(len(dataset.x))).of(dataset.holdout), x)
    checks = [
        proof,
        check_metric(contract, y, holdout, weight),
        *check_also(contract, y, holdout, weight),
        check_margin(contract, y, holdout, champion, weight),
        *check_slices(contract, x, y, holdout, weight),
        *(check_gap(contract, gap, x, y, holdout, weight) for gap in contract.gate.gaps),
        *(check_promise(contract, promise, opened, x) for promise in contract.gate.promises),
        check_size(contract, len(candidate.version.onnx)),
        check_latency(contract, opened, x),
    ]
    return Verdict(checks=checks, answers=holdout, opened=opened)


def _opened(version: Version) -> tuple[Tabular, str | None]:
    """Open a candidate, if need be without its golden answers, and return what is wrong with those.

    The golden rows are among those that are compared, and these tell more. Raise `BadModel`.
    """
    try:
        return open_trained(version), None
    except BadModel as problem:
        unproven = {**version.golden, "inputs": []}
        return open_trained(light.replace(version, golden=unproven)), str(problem)


def _prove(
    contract: Contract, candidate: Candidate, asked: np.ndarray, served: Answers, complaint: str | None
) -> Check:
    if candidate.answers is None:
        rows = len(candidate.version.golden["inputs"])
        return _proof(complaint, f"onnxruntime answers {rows} rows as the estimator did")
    found = compare(contract, asked, candidate.answers, served, candidate.decision)
    return _proof(found.complaint or complaint, found.summary, found.farthest)


def _proof(complaint: str | None, summary: str = "", value: float | None = None) -> Check:
    passed = complaint is None
    bound = TOLERANCE if passed else None  # a label that differs has none
    return Check(name="serves as trained", passed=passed, value=value, bound=bound, detail=complaint or summary)


def check_metric(contract: Contract, y: np.ndarray, answers: Answers, weight: np.ndarray | None = None) -> Check:
    """Check the gate's metric on the whole holdout, whose rows weigh `weight` [rows]."""
    gate = contract.gate
    return _bounded(contract, gate.measure, bound_of(gate), y, answers, weight, by_interval=gate.interval)


def check_also(contract: Contract, y: np.ndarray, answers: Answers, weight: np.ndarray | None = None) -> list[Check]:
    """Check the other metrics on the whole holdout."""
    by_interval = contract.gate.interval
    return [
        _bounded(contract, one.measure, bound_of(one), y, answers, weight, by_interval=by_interval)
        for one in contract.gate.also
    ]


def check_slices(
    contract: Contract, x: np.ndarray, y: np.ndarray, answers: Answers, weight: np.ndarray | None = None
) -> list[Check]:
    """Check the gate's metric on each slice. A slice that cannot be measured fails."""
    checks = []
    for part in contract.gate.slices:
        rows = rows_of(part, contract.terms, x)
        weighs = None if weight is None else weight[rows]
        found = _bounded(contract, contract.gate.measure, bound_of(part), y[rows], answers.of(rows), weighs)
        checks.append(replace(found, name=name_of(part)))
    return checks


def check_margin(
    contract: Contract, y: np.ndarray, answers: Answers, champion: Champion, weight: np.ndarray | None = None
) -> Check:
    """Check how much better than the champion it is on the same rows. It passes where there is no champion to ask."""
    name, bound, measure = MARGIN, contract.gate.margin, contract.gate.measure
    task = task_of(contract)
    if champion.answers is None:
        return Check(name=name, passed=True, value=None, bound=bound, detail=champion.why_not)
    try:
        difference = task.score(measure, y, answers, weight) - task.score(measure, y, champion.answers, weight)
    except UndefinedMetric as problem:
        return Check(name=name, passed=False, value=None, bound=bound, detail=str(problem))
    way = -1 if lower_is_better(measure) else 1
    ends = intervals.difference(task, y, answers, champion.answers, measure, weight)
    interval = None if ends is None else (min(way * end for end in ends), max(way * end for end in ends))
    better_by = way * difference
    passed = better_by >= bound - _ROUNDING
    return Check(name=name, passed=passed, value=better_by, bound=bound, interval=interval, detail=champion.seen)


def check_size(contract: Contract, size: int) -> Check:
    bound = contract.gate.maximum_bytes
    return Check(name="bytes", passed=size <= bound, value=size, bound=bound)


def check_latency(contract: Contract, version: Tabular, x: np.ndarray) -> Check:
    """Check the median milliseconds of one row, after a first one that is not counted."""
    times = []
    for position in range(_LATENCY_RUNS + 1):
        row = {version.input: tensor_of(version, x[position % len(x)][np.newaxis])}
        started = time.perf_counter()
        version.answer(row)
        times.append((time.perf_counter() - started) * 1000)
    median, bound = statistics.median(times[1:]), contract.gate.maximum_latency_ms
    return Check(name="latency in ms", passed=median <= bound, value=round(median, 4), bound=bound)


def comparable(card: Mapping[str, Any], contract: Contract) -> str:
    """Return why a version cannot be asked about this contract's rows; "" where it can."""
    if card["task"] != contract.task:
        return "the champion was made for another task"
    if why_not := task_of(contract).why_not_comparable(card):
        return why_not
    if [_meaning(feature) for feature in features_of(card)] != [_meaning(feature) for feature in contract.features]:
        return "the champion reads other features"
    return ""


def rows_of(part: Slice, terms: Sequence[Feature], x: np.ndarray) -> np.ndarray:
    """Return which rows belong to a slice, bool [rows]."""
    position = [term.name for term in terms].index(part.feature)
    values, names = x[:, position], terms[position].names
    if part.category is not None:
        return values == (names.index(part.category) if part.category in names else -1)
    rows = ~np.isnan(values)
    if part.minimum is not None:
        rows &= values >= part.minimum
    if part.below is not None:
        rows &= values < part.below
    return rows


def name_of(part: Slice) -> str:
    """Return a slice in words: `mean_radius from 10 below 15`."""
    if part.category is not None:
        return f"{part.feature} = {part.category}"
    lower = "" if part.minimum is None else f" from {part.minimum:g}"
    upper = "" if part.below is None else f" below {part.below:g}"
    return f"{part.feature}{lower}{upper}"


def _bounded(
    contract: Contract,
    measure: str,
    bound: float,
    y: np.ndarray,
    answers: Answers,
    weight: np.ndarray | None,
    *,
    by_interval: bool = False,
) -> Check:
    """Check a metric by its value, or by the worse end of its interval."""
    rows, task = f"{len(y)} rows" if weight is None else rows_in_words(weight), task_of(contract)
    try:
        value = task.score(measure, y, answers, weight)
    except UndefinedMetric as problem:
        return Check(name=measure, passed=False, value=None, bound=bound, detail=f"{rows}: {problem}")
    less = lower_is_better(measure)
    interval = intervals.intervals(task, y, answers, [measure], weight).get(measure)
    judged = value
    if by_interval:
        if interval is None:
            detail = f"{rows}: they give it no interval, by which gate.interval has it judged"
            return Check(name=measure, passed=False, value=value, bound=bound, detail=detail)
        judged = interval[1] if less else interval[0]
        rows += f"; judged by the {'upper' if less else 'lower'} end of its interval, {readable(judged)}"
    passed = judged <= bound if less else judged >= bound
    return Check(name=measure, passed=passed, value=value, bound=bound, detail=rows, interval=interval)


def _meaning(feature: Feature) -> dict[str, Any]:
    """Return what decides the numbers that a value becomes; bounds and description do not.

    Categories that are learnt do, but rows can be retold in those of another version.
    """
    passed_over = {*_NO_MEANING, *(("categories",) if feature.learn else ())}
    return {key: value for key, value in feature.document().items() if key not in passed_over}
