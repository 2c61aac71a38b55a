"""The files of a proposed model: `model.yaml`, with the reason of each line, and `training.py`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from models.contract import Contract
from models.document import Document
from models.feature import Feature, exactly
from models.section import CONTRACT, ContractError
from sml.init.words import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sml.init.guess import Guess
    from sml.init.proposal import Proposal

TRAINING = '''\
"""Two families of classifiers for {model}, as `sml init` proposed them: change what you know better."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

if TYPE_CHECKING:
    import numpy as np
    from sklearn.base import BaseEstimator, ClassifierMixin

    from models.contract import Params

FEATURES = yaml.safe_load((Path(__file__).parent / "model.yaml").read_text(encoding="utf-8"))["features"]
CATEGORIES = {{at: len(one["categories"]) for at, one in enumerate(FEATURES) if one.get("kind") == "category"}}
"""How many categories a feature has, by its position: whoever changes model.yaml need not change this file."""
NUMBERS = [at for at in range(len(FEATURES)) if at not in CATEGORIES]


def fit(X: np.ndarray, y: np.ndarray, params: Params) -> ClassifierMixin:
    """A classifier fitted on `X` [rows, features] float32 and `y` [rows], positions in the classes."""
    options = dict(params)
    # A missing number is NaN: the median of the training rows stands in for it.
    filled = SimpleImputer(strategy="median", keep_empty_features=True)
    if options.pop("family") == "logistic":
        scaled = make_pipeline(filled, StandardScaler())
        return make_pipeline(columns(scaled), LogisticRegression(max_iter=2000, **options)).fit(X, y)
    return make_pipeline(columns(filled), GradientBoostingClassifier(random_state=0, **options)).fit(X, y)


def columns(numbers: BaseEstimator) -> ColumnTransformer:
    """What prepares the columns: numbers as given, and of a category a column of 0 and 1 for each of its values."""
    # A category is its position in model.yaml. One that is missing becomes -1, which none of the columns stands for.
    named = make_pipeline(
        SimpleImputer(strategy="constant", fill_value=-1.0, keep_empty_features=True),
        OneHotEncoder(
            categories=[[float(at) for at in range(count)] for count in CATEGORIES.values()],
            handle_unknown="ignore",
            sparse_output=False,
        ),
    )
    parts = [("numbers", numbers, NUMBERS), ("categories", named, list(CATEGORIES))]
    return ColumnTransformer([part for part in parts if part[2]])
'''
"""The same for every table: it asks model.yaml which features are categories."""
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST_REASON = 300


def files_of(proposal: Proposal) -> dict[str, str]:
    """Return the files of the model's folder, by name."""
    return {
        "__init__.py": "",
        CONTRACT: contract_text(proposal),
        "training.py": TRAINING.format(model=proposal.model),
    }


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
    yield "task: classification"
    yield f"description: {scalar(f'{shortened(target.name)}, learned from {shortened(source)}')}"


def _columns(proposal: Proposal) -> Iterator[str]:
    yield "features:  # a value that its feature does not take is refused: a category that is not listed, say"
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
    counts = ", ".join(
        f"{shortened(name, 20)} {count:,}" for name, count in zip(target.classes[:10], target.counts, strict=False)
    )
    yield _commented(f"  classes: [{', '.join(map(scalar, target.classes))}]", f"rows: {counts}; {target.order}")


def _names(columns: Sequence[Guess]) -> list[str]:
    return [_commented(f"  - {scalar(found.name)}", found.why) for found in columns]


def _training(proposal: Proposal) -> Iterator[str]:
    plan = proposal.plan
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
    yield "  families:"
    yield _commented("    - {family: [logistic], C: [0.1, 1.0, 10.0]}", "the plainest: what it finds can be explained")
    depths = ", ".join(map(str, plan.depths))
    boosting = f"{{family: [boosting], n_estimators: [60], learning_rate: [0.1], max_depth: [{depths}]}}"
    yield _commented(f"    - {boosting}", "trees find what depends on several columns")
    yield ""
    yield "gate:"
    yield f"  metric: {plan.metric}"
    yield _commented(f"  minimum: {plan.minimum}", f"{plan.minimum_why}; raise it to what the model is to be good for")
    yield _commented("  margin: 0.0", "at least as good as the version that is live")
    yield "  maximum_bytes: 5000000"
    yield "  maximum_latency_ms: 50"
    yield ""
    yield "rollout:"
    yield _commented("  minimum_requests: 20", "how many each step of a canary sees before it is judged")
    yield _commented("  without_traffic: promote", "roll_back, once callers depend on it")
    yield _commented("  minimum_agreement: 0.8", "share of requests with the label of the version that is live")


def declaration(feature: Feature) -> str:
    """Return a feature as a line of YAML, without what is the default."""
    parts = [f"name: {scalar(feature.name)}"]
    if feature.kind != "number":
        parts.append(f"kind: {feature.kind}")
    if feature.categories:
        parts.append(f"categories: [{', '.join(map(scalar, feature.categories))}]")
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
