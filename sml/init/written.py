"""The files of a proposed model: `model.yaml`, with the reason of each line, and `training.py`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import yaml

from models.contract import Contract
from models.document import Document
from models.feature import Feature, exactly
from models.section import CONTRACT, ContractError
from models.task import lower_is_better
from sml.init.families import imports, linear, requirements, table
from sml.init.number_target import NumberTarget
from sml.init.words import listed, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sml.init.guess import Guess
    from sml.init.proposal import Proposal
    from sml.init.series_guess import SeriesGuess
    from sml.init.split_guess import SplitGuess

TRAINING = '''\
"""Families of {answers} for {model}, as `sml init` proposed them: change what you know better."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
{lightgbm}from sklearn.compose import ColumnTransformer
{ensemble}from sklearn.impute import SimpleImputer
from sklearn.linear_model import {linear}
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
{xgboost}
from models.contract import Contract

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sklearn.base import BaseEstimator, {kind}Mixin

    from models.contract import Params

HERE = Path(__file__).parent
TERMS = Contract.load(HERE.name, HERE.parent).terms
CATEGORIES = [at for at, one in enumerate(TERMS) if one.kind == "category"]
"""The columns of X that are positions of categories: whoever changes model.yaml need not change this file."""
NUMBERS = [at for at in range(len(TERMS)) if at not in CATEGORIES]
TREES: Mapping[str, Callable[..., {kind}Mixin]] = {{
{trees}
}}


def fit(X: np.ndarray, y: np.ndarray, params: Params, weight: np.ndarray | None = None) -> {kind}Mixin:
    """A {answer} fitted on `X` [rows, features] float32 and `y` [rows], {truth}.

    `weight` float64 [rows] is there where model.yaml has weights.
    """
    options = dict(params)
    family = str(options.pop("family"))
    # A missing number is NaN: the median of the training rows stands in for it.
    filled = SimpleImputer(strategy="median", keep_empty_features=True)
    if family == "{family}":
        scaled = make_pipeline(filled, StandardScaler())
        model = make_pipeline(columns(X, scaled), {linear}({fixed}**options))
    else:
        model = make_pipeline(columns(X, filled), TREES[family](**options))
    last, _ = model.steps[-1]
    return model.fit(X, y, **({{}} if weight is None else {{f"{{last}}__sample_weight": weight}}))

{ends}
def columns(X: np.ndarray, numbers: BaseEstimator) -> ColumnTransformer:
    """What prepares the columns: numbers as given, and of a category a column of 0 and 1 for each of its values."""
    # A category is its position among those of its feature. One that is missing becomes -1, which no column stands for.
    named = make_pipeline(
        SimpleImputer(strategy="constant", fill_value=-1.0, keep_empty_features=True),
        OneHotEncoder(
            categories=[np.arange(np.nanmax(X[:, at], initial=0) + 1) for at in CATEGORIES],
            handle_unknown="ignore",
            sparse_output=False,
        ),
    )
    parts = [("numbers", numbers, NUMBERS), ("categories", named, CATEGORIES)]
    return ColumnTransformer([part for part in parts if part[2]])
'''
"""The same for every table of a task: it asks model.yaml which features are categories."""
_ENDS = '''
def fit_quantile(
    X: np.ndarray, y: np.ndarray, params: Params, quantile: float, weight: np.ndarray | None = None
) -> RegressorMixin:
    """An end of the interval, where model.yaml asks for one; `quantile` of the numbers are to lie below it.

    It is learnt from the few rows that lie far out, whatever the family of the middle: with more leaves or smaller ones
    it would fit them too closely, and the interval hold fewer numbers than it is to.
    """
    del params
    filled = SimpleImputer(strategy="median", keep_empty_features=True)
    shape = {"max_iter": 60, "max_leaf_nodes": 4, "min_samples_leaf": 30, "early_stopping": False}
    trees = HistGradientBoostingRegressor(
        loss="quantile", quantile=quantile, learning_rate=0.05, random_state=0, **shape
    )
    model = make_pipeline(columns(X, filled), trees)
    last, _ = model.steps[-1]
    return model.fit(X, y, **({} if weight is None else {f"{last}__sample_weight": weight}))

'''
_CLASSES = {
    "answers": "classifiers",
    "answer": "classifier",
    "truth": "positions in the classes",
    "family": "logistic",
    "linear": "LogisticRegression",
    "fixed": "max_iter=2000, ",
    "ends": "",
}
_NUMBERS = {
    "answers": "regressors",
    "answer": "regressor",
    "truth": "the numbers to predict",
    "family": "ridge",
    "linear": "Ridge",
    "fixed": "",
    "ends": _ENDS,
}
REQUIREMENTS = "requirements.in"
"""In the folder of a model that brings packages."""
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST_REASON = 300


def files_of(proposal: Proposal) -> dict[str, str]:
    """Return the files of the model's folder, by name."""
    files = {
        "__init__.py": "",
        CONTRACT: contract_text(proposal),
        "training.py": _training_text(proposal),
    }
    own = requirements(proposal.families)
    return {**files, REQUIREMENTS: own} if own else files


def _training_text(proposal: Proposal) -> str:
    kind: Literal["Classifier", "Regressor"] = "Regressor" if proposal.is_of_numbers else "Classifier"
    imported = {name: imports(proposal.families, kind, name) for name in ("lightgbm", "xgboost")}
    ensemble = imports(proposal.families, kind, "sklearn.ensemble")
    words = _NUMBERS if proposal.is_of_numbers else _CLASSES
    return TRAINING.format(
        model=proposal.model, kind=kind, ensemble=ensemble, trees=table(proposal.families, kind), **imported, **words
    )


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
