"""The files of a proposed model: `model.yaml`, with the reason of each line, and `training.py`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from models.contract import Contract
from models.document import Document
from models.feature import Feature, exactly
from models.section import CONTRACT, ContractError
from models.task import lower_is_better
from sml.init.families import linear, requirements
from sml.init.number_target import NumberTarget
from sml.init.training_file import training_text
from sml.init.words import listed, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sml.init.guess import Guess
    from sml.init.proposal import Proposal
    from sml.init.series_guess import SeriesGuess
    from sml.init.split_guess import SplitGuess

REQUIREMENTS = "requirements.in"
"""In the folder of a model that brings packages."""
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST_REASON = 300


def files_of(proposal: Proposal) -> dict[str, str]:
    """Return the files of the model's folder, by name."""
    files = {
        "__init__.py": "",
        CONTRACT: contract_text(proposal),
        "training.py": training_text(proposal),
    }
    own = requirements(proposal.families)
    return {**files, REQUIREMENTS: own} if own else files


def contract_of(proposal: Proposal) -> Contract:
    """Read the contract as the project reads it. Raise `ContractError`."""
    where = f"models/{proposal.model}/{CONTRACT}"
    try:
        document = Document.read(contract_text(proposal).encode(), where)
    except yaml.YAMLError as problem:
        raise ContractError(f"{where}: {problem}") from None
    return Contract.of(document, proposal.model)


def contract_text(proposal: Proposal) -> str:
    """Return `model.yaml`."""
    return "\n".join([*_head(proposal), "", *_columns(proposal), "", *_training(proposal), ""])


def _head(proposal: Proposal) -> Iterator[str]:
    target = proposal.target
    source = shortened(proposal.source, 100)
    yield f"# Proposed by `sml init` from {source}, {proposal.rows:,} rows."
    yield "# Each line says why: change what you know better."
    yield f"name: {proposal.model}"
    of_numbers = "regression" if proposal.series is None else "forecasting"
    yield f"task: {of_numbers if proposal.is_of_numbers else 'classification'}"
    yield f"description: {scalar(f'{shortened(target.name)}, learned from {shortened(source)}')}"


def _columns(proposal: Proposal) -> Iterator[str]:
    if proposal.features:
        yield "features:  # a value that its feature does not take is refused: a category that is not listed, say"
    else:
        yield "features: []  # besides the lags below"
    for found in proposal.columns:
        if found.feature is not None:
            yield _commented(f"  - {declaration(found.feature)}", found.why)
    for key in ("id", "ignore"):
        if named := proposal.named(key):
            yield from ("", f"{key}:", *_names(named))
    target = proposal.target
    yield ""
    yield "target:"
    yield _commented(f"  name: {scalar(target.name)}", target.why)
    if isinstance(target, NumberTarget):
        if target.never_negative:
            yield _commented("  minimum: 0", "never negative, as its name is that of an amount")
        yield f"  # {target.spread}; unit: EUR, say, for those who read the answers"
        yield "# interval: {coverage: 0.9}  # low and high beside each answer, between which 9 of 10 truths are to lie"
        if proposal.series is not None:
            yield from ("", *_series(proposal.series))
        return
    yield _commented(f"  classes: [{', '.join(map(scalar, target.classes))}]", f"rows: {target.spread}")


def _series(series: SeriesGuess) -> Iterator[str]:
    yield f"series:  # {series.why}"
    yield _commented(f"  time: {scalar(series.time)}", "the latest rows are kept out, and folds go forward")
    if series.group is not None:
        yield _commented(f"  group: {scalar(series.group)}", f"a series for each of its {series.count:,} values")
    told = f"rows earlier, each a feature; the least, {series.lags[0]}, is how far ahead a forecast is"
    yield _commented(f"  lags: [{', '.join(map(str, series.lags))}]", told)
    if series.means:
        told = f"of so many rows, the last of them {series.lags[0]} earlier"
        yield _commented(f"  means: [{', '.join(map(str, series.means))}]", told)


def _weights(names: Sequence[str]) -> Iterator[str]:
    """Yield what may be meant as the weight of rows, as a comment."""
    if names:
        others = f"; or {listed(names[1:])}" if names[1:] else ""
        why = "a row counts as much as it says, in fit and in every figure; it is no feature then"
        yield from (_commented(f"# weights: {{column: {scalar(names[0])}}}", f"{why}{others}"), "")


def _names(columns: Sequence[Guess]) -> list[str]:
    return [_commented(f"  - {scalar(found.name)}", found.why) for found in columns]


def _training(proposal: Proposal) -> Iterator[str]:
    plan, numbers = proposal.plan, proposal.is_of_numbers
    yield from _weights(proposal.weights)
    yield "quality:"
    yield _commented(
        f"  minimum_rows: {plan.minimum_rows}", "half of this table: a file much smaller is likely cut short"
    )
    yield _commented(f"  maximum_rejected_share: {plan.maximum_rejected_share}", plan.rejected_why)
    yield ""
    yield "search:"
    yield "  method: grid"
    yield _commented(f"  metric: {plan.metric}", plan.metric_why)
    yield _commented(f"  folds: {plan.folds}", plan.folds_why)
    yield _commented("  holdout: 0.2", "rows that no experiment sees: the gate is judged on them")
    yield "  seed: 7"
    yield from _split(proposal.split)
    yield "  families:"
    yield _commented(f"    - {linear(proposal.size)}", "the plainest: what it finds can be explained")
    for family in proposal.families:
        yield _commented(f"    - {family.line(proposal.size)}", family.why)
    yield ""
    yield "gate:"
    yield f"  metric: {plan.metric}"
    bound, change = ("maximum", "lower") if lower_is_better(plan.metric) else ("minimum", "raise")
    yield _commented(
        f"  {bound}: {exactly(plan.bound)}", f"{plan.bound_why}; {change} it to what the model is to be good for"
    )
    yield _commented("  margin: 0.0", "at least as good as the version that is live")
    yield "  maximum_bytes: 5000000"
    yield "  maximum_latency_ms: 50"
    yield ""
    yield "rollout:"
    yield _commented("  minimum_requests: 20", "how many each step of a canary sees before it is judged")
    yield _commented("  without_traffic: promote", "roll_back, once callers depend on it")
    same = "a number as near to that of the live version as that one errs" if numbers else "the live version's label"
    yield _commented("  minimum_agreement: 0.8", f"share of requests with {same}")


def _split(split: SplitGuess) -> Iterator[str]:
    """Yield what the rows are split by; what only may be meant as a comment."""
    if split.group is not None:
        yield _commented(f"  group: {scalar(split.group)}", split.why)
        return
    if split.groups:
        yield _commented(
            f"  # group: {scalar(split.groups[0])}", f"or {listed(split.groups[1:])}" if split.groups[1:] else ""
        )
        yield "  # all rows of a group are on one side: the model is tested on others than those that it learnt from"
    if split.times:
        yield f"  # time: {scalar(split.times[0])}"
        yield "  # the latest rows are kept out, and each fold is tested by rows that are later than those it trains on"


def declaration(feature: Feature) -> str:
    """Return a feature as a line of YAML, without what is the default."""
    parts = [f"name: {scalar(feature.name)}"]
    if feature.kind != "number":
        parts.append(f"kind: {feature.kind}")
    if feature.categories:
        parts.append(f"categories: [{', '.join(map(scalar, feature.categories))}]")
    parts += [f"unseen: {feature.unseen}"] if feature.unseen != "reject" else []
    parts += ["learn: true"] if feature.learn else []
    parts += [f"rare_below: {feature.rare_below}"] if feature.rare_below else []
    parts += [f"format: {scalar(feature.format)}"] if feature.format else []
    parts += [f"parts: [{', '.join(feature.parts)}]"] if feature.parts else []
    parts += [f"words: {feature.words}"] if feature.words else []
    if feature.minimum is not None:
        parts.append(f"minimum: {exactly(feature.minimum)}")
    if feature.missing != "reject":
        parts.append(f"missing: {feature.missing}")
    return f"{{{', '.join(parts)}}}"


def scalar(text: str) -> str:
    """Return a text as YAML, in quotes where it would be something else."""
    if _PLAIN.fullmatch(text) and yaml.safe_load(text) == text and text.lower() not in ("y", "n"):
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(letter: str) -> str:
    if letter in ('"', "\\"):
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    return f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else f"\\U{ord(letter):08x}"


def _commented(line: str, why: str) -> str:
    return f"{line}  # {shortened(why, _LONGEST_REASON)}" if why else line
