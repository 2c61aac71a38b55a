"""The HTML report of a candidate: its experiments, its data, its metrics, and the checks of the gate."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from functions.core.registry.plan import SKIPPED
from functions.core.selection import class_figures, importance_figures, number_figures
from functions.core.selection.failures import skipped_in, skipped_of
from functions.core.selection.html import Markup, badge, bars, escape, facts, join, number, page, section, table
from functions.core.selection.model_card import model_card
from functions.core.training.class_answers import ClassAnswers
from functions.core.training.number_answers import NumberAnswers
from functions.core.training.task import counting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from functions.core.dataset.dataset import Dataset
    from functions.core.selection.candidate import Candidate
    from functions.core.selection.check import Check
    from functions.core.selection.gate import Verdict
    from functions.core.selection.importance import Reliance
    from models.contract import Contract, Target


@dataclass(frozen=True, kw_only=True)
class Story:
    """What the report shows."""

    contract: Contract
    record: Mapping[str, Any]
    board: Sequence[Mapping[str, Any]]
    """A line for each experiment, the best first, with `passed_over` where its file answers otherwise."""
    candidate: Candidate
    verdict: Verdict
    metrics: Mapping[str, Any]
    profile: bytes
    """profile.json of the dataset."""
    truth: np.ndarray
    """What the holdout's rows are: positions of classes, or numbers, [rows]."""
    holdout: Dataset | None = None
    """Its rows."""
    weight: np.ndarray | None = None
    """What they weigh, [rows]; None where all weigh the same."""
    doubts: Sequence[str] = ()
    """What the holdout is too small to tell."""
    goes_by: Reliance | None = None
    used: Mapping[str, Any] = field(default_factory=dict)
    """What the run used so far."""


def render(story: Story) -> bytes:
    """Return the report as one HTML document in UTF-8 that needs no other file."""
    contract, version = story.contract, story.candidate.version
    failed = len(story.verdict.failed)
    outcome = badge(not failed, f"refused: {failed} checks failed" if failed else "passed the gate")
    head = Markup(
        f"<h1>{escape(contract.name)} <code>{escape(version.version)}</code></h1>\n<p>{outcome}</p>\n"
        f'<p class="lead">{escape(contract.description)}</p>\n'
    )
    card = model_card(contract, story.record, story.candidate, story.metrics, story.used, story.doubts)
    goes_by = Markup("") if story.verdict.answers is None else importance_figures.figures(contract, story.goes_by)
    body = [head, _summary(story), card, _gate(story), _holdout(story), goes_by, _experiments(story), _data(story)]
    return page(f"{contract.name} {version.version}", join(body))


def _summary(story: Story) -> Markup:
    record, experiment = story.record, story.candidate.experiment
    mean = experiment["metrics"][story.contract.search.measure]
    return facts(
        [
            ("best experiment", Markup(f"{escape(experiment['id'])}: <code>{_params(experiment['params'])}</code>")),
            (
                f"{story.contract.search.measure}, cross-validated",
                Markup(f"{number(mean['mean'])} &plusmn; {number(mean['std'], 2)}"),
            ),
            ("target", escape(_target(story.contract.target))),
            ("run", Markup(f"<code>{escape(record['run'])}</code>, begun {escape(record['created'])}")),
            ("dataset", Markup(f"{escape(record['source'])}, <code>{escape(record['dataset'][:16])}</code>")),
            ("made with", escape(", ".join(f"{name} {version}" for name, version in experiment["libraries"].items()))),
            ("computed on", escape(_computed(experiment.get("processor")))),
        ]
    )


def checks_table(checks: Sequence[Check], caption: str) -> Markup:
    """Return a table of checks and their outcomes."""
    rows = [
        (
            escape(check.name),
            number(check.value),
            number(check.bound),
            between(check.interval),
            badge(check.passed, "passed" if check.passed else "failed"),
            escape(check.detail),
        )
        for check in checks
    ]
    return table(caption, ("check", "#value", "#bound", "#95 %", "outcome", "note"), rows)


def between(interval: Sequence[float] | None) -> Markup:
    """Return an interval; nothing where there is none."""
    return Markup("") if interval is None else Markup(f"{number(interval[0], 3)} to {number(interval[1], 3)}")


def _gate(story: Story) -> Markup:
    caption = (
        "What callers get, from onnxruntime: the first check on every row, the others on rows that no experiment saw. "
        "A slice is a part of those."
    )
    return section("Gate", checks_table(story.verdict.checks, caption))


def _holdout(story: Story) -> Markup:
    if story.verdict.answers is None:
        return Markup("")
    ends = story.metrics["holdout_intervals"]
    measured = [
        (escape(name), number(value), between(ends.get(name))) for name, value in story.metrics["holdout"].items()
    ]
    caption = "All of them, and between which values 95 of 100 draws of as many rows put the metric"
    if story.weight is not None:
        caption += f"; each row counts as much as {story.contract.weight_column} says"
    parts = [table(caption, ("metric", "#value", "#95 %"), measured), *_figures(story)]
    title = f"On the {len(story.truth)} rows kept out"
    return section(
        title, Markup('<div class="side">\n' + join(Markup(f"<div>{part}</div>\n") for part in parts) + "</div>\n")
    )


def _figures(story: Story) -> list[Markup]:
    """Return what shows how the answers differ from the truth, as the task has it."""
    truth, said, weight = story.truth, story.verdict.answers, story.weight
    if weight is not None and said is not None:
        truth, [said], weight = counting(truth, [said], weight)
    match said:
        case ClassAnswers() as answers:
            return class_figures.figures(story.contract.target.classes, truth, answers, weight)
        case NumberAnswers() as answers:
            return [*_over_time(story), *number_figures.figures(story.contract.target, truth, answers, weight)]
        case _:
            return []


def _over_time(story: Story) -> list[Markup]:
    """Return the forecasts of series over time, beside naive ones; nothing of rows that are of no series."""
    answers = story.verdict.answers
    if story.holdout is None or story.holdout.series is None or not isinstance(answers, NumberAnswers):
        return []
    from functions.core.selection import series_figures  # noqa: PLC0415 - most models have no series

    return series_figures.figures(story.contract, story.holdout, answers, story.metrics, story.record)


def _experiments(story: Story) -> Markup:
    rows = []
    for line in story.board:
        if line["status"] == "failed":
            failure = Markup(f"{_params(line['params'])}<br>{badge(False, 'failed')} {escape(line['error'])}")
            rows.append((escape(line["id"]), failure, *[number(None)] * 4))
            continue
        if line["status"] == SKIPPED:
            skipped = Markup(f"{_params(line['params'])}<br>skipped: {escape(line['why'])}")
            rows.append((escape(line["id"]), skipped, *[number(None)] * 4))
            continue
        params = _params(line["params"])
        if line["status"] == "stopped":
            params = Markup(f"{params}<br>stopped after {escape(format(line['rows'], ','))} rows")
        if "passed_over" in line:
            params = Markup(f"{params}<br>{badge(False, 'passed over')} {escape(line['passed_over'])}")
        rows.append(
            (
                escape(line["id"]),
                params,
                number(line["mean"]),
                number(line["std"], 2),
                escape(f"{line['bytes']:,}" if "bytes" in line else ""),
                number(line["seconds"], 3),
            )
        )
    failed = sum(line["status"] == "failed" for line in story.board)
    caption = f"{story.contract.search.folds} folds; the best {story.contract.search.measure} first."
    if any(line["status"] == "stopped" for line in story.board):
        caption += " Those that were stopped were measured on a part of the rows, where others were better."
    caption += f" {failed} of {len(story.board) - skipped_in(story.board)} failed." if failed else ""
    if skipped := skipped_of(story.board, story.contract.search):
        caption += f" {skipped['skipped']['said']}."
    header = ("experiment", "parameters", "#mean", "#deviation", "#bytes", "#seconds")
    return section("Experiments", table(caption, header, rows, first=True))


def _data(story: Story) -> Markup:
    profile, split, weights = json.loads(story.profile), story.record.get("split"), story.record.get("weights")
    known = facts(
        [
            ("rows", escape(f"{profile['rows']} ({_spread(profile)})")),
            ("set aside", escape(story.record["rejected_rows"])),
            *([("split", escape(split["said"]))] if split else []),
            *([("series", escape(story.record["series"]["said"]))] if "series" in story.record else []),
            *([("weights", escape(weights["said"]))] if weights else []),
            *[("look at", escape(one["said"])) for one in story.record.get("suspects", ())],
            ("copies of other rows", escape(profile["duplicate_rows"])),
            ("equal rows with unequal targets", escape(profile["contradictory_rows"])),
        ]
    )
    rows = []
    for name, feature in profile["features"].items():
        quantiles = feature.get("quantiles", {})
        drawing = bars(feature.get("counts", ()), f"{name}: {', '.join(map(str, feature.get('counts', ())[:40]))}")
        rows.append(
            (
                escape(name),
                escape(feature["kind"]),
                escape(feature["missing"]),
                *(number(quantiles.get(share)) for share in ("0", "0.5", "1")),
                drawing if "categories" in feature else Markup(""),
            )
        )
    header = ("feature", "kind", "#missing", "#least", "#median", "#greatest", "categories")
    return section(
        "Data", join([known, Markup("<p></p>"), table("Every accepted row, kept out or not.", header, rows)])
    )


def _target(target: Target) -> str:
    """Return what is predicted, and among which classes or in which unit."""
    if target.classes:
        return f"{target.name}: {', '.join(target.classes)}"
    return target.name + (f", in {target.unit}" if target.unit else "")


def _spread(profile: Mapping[str, Any]) -> str:
    """Return how the target is spread over the rows."""
    if "classes" in profile:
        return ", ".join(f"{name} {count}" for name, count in profile["classes"].items())
    least, median, greatest = (profile["target"]["quantiles"][share] for share in ("0", "0.5", "1"))
    return f"the target from {least:.6g} to {greatest:.6g}, half of them up to {median:.6g}"


def _computed(processor: Mapping[str, Any] | None) -> str:
    if processor is None:
        return "not recorded"
    kernels = [f"{library}: {kernel or 'unknown'}" for library, kernel in processor["kernels"].items()]
    vectors = [f"numpy: {' '.join(processor['numpy'])}"] if processor.get("numpy") else []
    return ", ".join([processor["architecture"], *kernels, *vectors])


def _params(params: Mapping[str, Any]) -> Markup:
    return escape(", ".join(f"{name}={value}" for name, value in params.items()))
