"""The section `weights` of a contract: by which column rows weigh, and what a row of each class does."""

from __future__ import annotations

from typing import Any

import pytest

from models.contract import Contract
from models.section import ContractError
from tests.models.test_contract import DIGEST, GOOD, changed

NUMBERS: dict[str, Any] = {
    **GOOD,
    "task": "regression",
    "target": {"name": "price"},
    "search": {"families": [{"C": [1]}], "metric": "mae"},
    "gate": {"metric": "mae", "maximum": 1},
}


def weighted(weights: object, contract: dict[str, Any] = GOOD) -> Contract:
    return Contract.parse(changed("weights", weights, contract), "model.yaml")


@pytest.mark.parametrize(
    ("weights", "column", "words"),
    [
        ({"column": "exposure"}, "exposure", ""),
        ({"classes": "balanced"}, None, "balanced"),
        ({"column": "exposure", "classes": {"no": 1, "yes": 2.5}}, "exposure", "no 1, yes 2.5"),
    ],
)
def test_rows_weigh_by_a_column_or_their_classes_or_both(
    weights: dict[str, Any], column: str | None, words: str
) -> None:
    found = weighted(weights)
    assert found.weights is not None
    assert (found.weight_column, found.weights.words) == (column, words)
    assert found.row_columns == (() if column is None else (column,))
    assert found.digest != DIGEST
    assert Contract.parse(found.model_dump(mode="json"), "").digest == found.digest


def test_a_contract_without_weights_has_the_digest_that_it_had() -> None:
    assert Contract.parse(GOOD, "").digest == weighted(None).digest == DIGEST
    assert Contract.parse(GOOD, "").row_columns == ()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({}, "weights: says nothing; accepted: column, classes or both"),
        ({"column": ""}, 'weights.column: is the text ""; accepted: the name of a column'),
        ({"column": "size"}, "weights.column: size is a feature; accepted: a column that is nothing else"),
        ({"column": "kind"}, "weights.column: kind is the target; accepted: a column that is nothing else"),
        ({"column": "row"}, "weights.column: row is one of id; accepted: a column that is nothing else"),
        ({"column": "note"}, "weights.column: note is one of ignore; accepted: a column that is nothing else"),
        ({"column": "tree"}, "weights.column: tree is search.group; accepted: a column that is nothing else"),
        ({"sample_weight": "w"}, "weights.sample_weight: there is no such key; accepted here: column, classes"),
        ({"class_weight": "balanced"}, "weights.class_weight: there is no such key; did you mean classes?"),
        (
            {"classes": "even"},
            'weights.classes: is the text "even"; accepted: balanced, or a mapping from each class to a number above 0',
        ),
        ({"classes": {"no": 1, "yes": 0}}, "weights.classes.yes: is 0; accepted: a number above 0"),
        ({"classes": {"no": 1, "yes": "5"}}, 'weights.classes.yes: is "5"; accepted: a number above 0'),
        ({"classes": {"no": float("inf"), "yes": 1}}, "weights.classes.no: is Infinity; accepted: a number above 0"),
        ({"classes": {"no": 10**400, "yes": 1}}, "weights.classes.no: is 1000"),
        ({"classes": {"no": True, "yes": 1}}, "weights.classes.no: is true; accepted: a number above 0"),
        ({"classes": {"no": 1, "yes": 1, "maybe": 1}}, "weights.classes: maybe is no class; accepted: no, yes"),
        ({"classes": {"no": 1}}, "weights.classes: says nothing of yes; accepted: a mapping from each class to a numb"),
    ],
)
def test_weights_that_mean_nothing_are_a_sentence(weights: dict[str, Any], message: str) -> None:
    base = {**GOOD, "id": ["row"], "ignore": ["note"], "search": {**GOOD["search"], "group": "tree"}}
    with pytest.raises(ContractError) as problem:
        weighted(weights, base)
    assert message in str(problem.value)


def test_the_words_of_scikit_learn_lead_to_the_section() -> None:
    for name in ("sample_weight", "class_weight"):
        with pytest.raises(ContractError, match=f"{name}: there is no such key; did you mean weights"):
            Contract.parse({**GOOD, name: "balanced"}, "")


def test_a_number_to_predict_has_no_classes_that_weigh() -> None:
    assert weighted({"column": "exposure"}, NUMBERS).weight_column == "exposure"
    with pytest.raises(ContractError, match=r"weights\.classes: goes with task: classification; a number to predict"):
        weighted({"classes": "balanced"}, NUMBERS)
