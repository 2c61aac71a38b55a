from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from models.contract import Contract
from models.gate import bound_of
from models.section import ContractError

GOOD: dict[str, Any] = {
    "name": "tiny",
    "task": "classification",
    "features": [
        {"name": "size", "minimum": 0, "maximum": 10},
        {"name": "colour", "kind": "category", "categories": ["red", "blue"], "missing": "red"},
    ],
    "target": {"name": "kind", "classes": ["no", "yes"]},
    "search": {"families": [{"C": [0.1, 1.0], "penalty": ["l2", None]}, {"C": [0.1], "penalty": ["l2"]}]},
    "gate": {"minimum": 0.8, "slices": [{"feature": "size", "below": 5, "at_least": 0.7}]},
}


DIGEST = "350da1ad94a093c9757931547fb888f7c366c9026c732e1cc1748401fec1b440"
"""Of `GOOD`, as the release of it gave it that knew classifications alone."""


def changed(path: str, value: object, contract: dict[str, Any] = GOOD) -> dict[str, Any]:
    """Return a good contract with the value at a dotted path replaced."""
    contract = copy.deepcopy(contract)
    *parents, last = path.split(".")
    section: Any = contract
    for key in parents:
        section = section[int(key)] if isinstance(section, list) else section[key]
    if isinstance(section, list):
        section[int(last)] = value
    else:
        section[last] = value
    return contract


def test_the_good_contract_is_good() -> None:
    assert Contract.parse(GOOD, "model.yaml").name == "tiny"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("search.fold", 3, "search.fold: there is no such key; did you mean folds?"),
        ("features.0.minimun", 0, "features[0].minimun: there is no such key; did you mean minimum?"),
        ("features.0.minimum", 11, "features.size: minimum and maximum are finite, and minimum is not above maximum"),
        ("features.0.minimum", "0", 'features[0].minimum: is the text "0"; write the number 0, without quotes'),
        ("features.0.missing", "red", "features.size.missing: is text; accepted: a finite number from 0 to 10"),
        ("features.0.missing", 11, "features.size.missing: is not a finite number from 0 to 10"),
        ("features.0.name", "colour", "features: colour stands twice"),
        ("features.0.name", " size", "features. size: a name is printable"),
        ("features.0.categories", ["a"], "features.size: categories go with kind: category"),
        ("features.1.categories", [], "features.colour: categories go with kind: category"),
        ("features.1.categories", ["a", "a"], "features.colour.categories: a category stands twice"),
        ("features.1.minimum", 1, "features.colour: minimum and maximum go with numbers"),
        ("features.1.missing", "green", "features.colour.missing: is not one of red, blue"),
        ("target.name", "size", "target: size is a feature too"),
        ("id", ["size"], "id[0]: size is named already; accepted: columns that are nothing else"),
        ("ignore", ["note", "note"], "ignore[1]: note is named already"),
        ("target.classes", ["a", "a"], "target.classes: a class stands twice"),
        ("target.classes", ["a"], "target.classes: is a list of 1; accepted: a list, two or more, each a text"),
        ("search.families.0.C", [], "search.families[0].C: is an empty list; accepted: a list, one or more"),
        ("search.families.0.C", ["1e-3"], "search.families[0].C[0]: 1e-3 is text to YAML; write a number with a point"),
        ("search.families.0.C", [float("nan")], "search.families[0].C[0]: is NaN; accepted: a finite number, a word"),
        ("search.families.0.C", ["nan"], "search.families[0].C[0]: nan is text to YAML; write another word"),
        ("search.seed", -1, "search.seed: is -1; accepted: a whole number, 0 or more"),
        ("search.trials", 5, "search.trials: goes with method: random or halving"),
        ("search.method", "random", "search.trials: is missing; accepted with method: random"),
        ("search.group", "kind", "search.group: kind is the target; accepted: another column"),
        ("search.group", "", 'search.group: is the text ""; accepted: the name of a column'),
        ("search.gap", "7d", "search.gap: goes with time, the column whose times it is between"),
        ("search.gap", "7 days", "search.gap: is '7 days'; accepted: 30min, 12h, 7d or 2w between times, or a number"),
        ("search.gap", -1, "search.gap: is -1; accepted: 30min, 12h, 7d or 2w between times, or a number"),
        ("gate.slices.0.feature", "weight", "gate.slices.weight: there is no such feature"),
        ("gate.slices.0.category", "red", "gate.slices.size: minimum, below or both are accepted"),
        ("gate.slices.0.feature", "colour", "gate.slices.colour: category: one of red, blue is accepted"),
        (
            "gate.metric",
            "auc",
            'gate.metric: is the text "auc"; accepted: roc_auc, average_precision, recall_at_precision, accuracy, ',
        ),
        ("name", "Tiny", 'name: is the text "Tiny"; accepted: the folder\'s name: a small letter'),
        ("task", "ranking", 'task: is the text "ranking"; accepted: classification, regression, forecasting'),
        ("task", "regression", "target.classes: goes with task: classification; a regression predicts numbers"),
        ("target", {"name": "kind"}, "target.classes: is missing; accepted: a list, two or more, each a text"),
        (
            "target.unit",
            "USD",
            "target.unit: goes with task: regression or forecasting; a classification predicts classes",
        ),
        ("gate.metric", "rmse", "gate.metric: is rmse; accepted for a classification: roc_auc, average_precision,"),
        ("gate.minimum", None, "gate.minimum: is missing; accepted: a number"),
        ("gate.maximum", 0.9, "gate.minimum: goes without maximum: one bound is held against"),
        ("gate", {"maximum": 0.8}, "gate.maximum: of roc_auc more is better; write minimum"),
        ("gate.slices.0", {"feature": "size", "below": 5}, "gate.slices[0].at_least: is missing; accepted: a number"),
        ("search.at", 0.9, "search.at: goes with recall_at_precision and pinball, and only with them"),
        ("gate", {"metric": "recall_at_precision", "minimum": 0.5}, "gate.at: is missing; accepted for recall_at_pre"),
        ("gate.at", 1, "gate.at: is 1; accepted: a number, above 0 and below 1"),
        (
            "gate.also",
            [{"metric": "mae", "at_most": 1}],
            "gate.also[0].metric: is mae; accepted for a classification: ",
        ),
        ("gate.also", [{"metric": "brier"}], "gate.also[0].at_most: is missing; accepted: a number"),
        (
            "gate.also",
            [{"metric": "brier", "at_least": 1}],
            "gate.also[0].at_least: of brier less is better; write at_m",
        ),
        (
            "gate.gaps",
            [{"feature": "size", "at_most": 1}],
            "gate.gaps.size: is a number; accepted: a category or a bool",
        ),
        ("gate.gaps", [{"feature": "hue", "at_most": 1}], "gate.gaps.hue: there is no such feature; accepted: size, "),
        (
            "features",
            [{"name": "size", "kind": "date", "parts": ["month", "day"]}, {"name": "colour"}],
            "gate.slices.size: is no number by itself; accepted: size.month, size.day",
        ),
        (
            "features",
            [
                {"name": "size", "kind": "date"},
                {"name": "colour", "kind": "date", "since": "size"},
            ],
            "gate.slices.size: is no number by itself; accepted: colour.days_since_size",
        ),
        (
            "gate.gaps",
            [{"feature": "colour", "at_most": -1}],
            "gate.gaps[0].at_most: is -1; accepted: a number, 0 or more",
        ),
        (
            "gate.gaps",
            [{"feature": "colour", "at_most": 1, "metric": "r2"}],
            "gate.gaps[0].metric: is r2; accepted for",
        ),
        ("gate.promises", [{"feature": "size", "direction": "left"}], 'is the text "left"; accepted: up, down'),
        ("gate.promises", [{"feature": "colour", "direction": "up"}], "gate.promises.colour: is a category, whose val"),
        ("decision", {}, "decision: says nothing; accepted: one of maximise, costs, precision, recall"),
        (
            "decision",
            {"precision": 0.9, "recall": 0.9},
            "decision: has precision and recall; accepted: one of maximise",
        ),
        ("decision", {"costs": {"false_positive": 0, "false_negative": 1}}, "decision.costs.false_positive: is 0; acc"),
    ],
)
def test_a_wrong_contract_is_refused_with_file_and_key(path: str, value: object, message: str) -> None:
    with pytest.raises(ContractError) as refusal:
        Contract.parse(changed(path, value), "models/tiny/model.yaml")
    assert str(refusal.value).startswith("models/tiny/model.yaml: ")
    assert message in str(refusal.value)


PRICES: dict[str, Any] = {
    **GOOD,
    "task": "regression",
    "target": {"name": "price", "minimum": 0, "unit": "EUR"},
    "search": {**GOOD["search"], "metric": "rmse"},
    "gate": {"metric": "mae", "maximum": 12.5, "slices": [{"feature": "size", "below": 5, "at_most": 20}]},
}


DATE: dict[str, Any] = {"name": "when", "kind": "date", "parts": ["month"]}


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        ({"name": "note", "kind": "text"}, "features.note.words: is how many counts a text becomes"),
        (
            {"name": "note", "kind": "text", "words": 8, "unseen": "other"},
            "features.note.unseen: goes with kind: category",
        ),
        ({"name": "size2", "parts": ["year"]}, "features.size2.parts: goes with kind: date or datetime, and only"),
        ({"name": "n", "kind": "category"}, "features.n: categories go with kind: category"),
        (
            {"name": "n", "kind": "category", "learn": True, "categories": ["a"]},
            "features.n.learn: goes without categories",
        ),
        (
            {"name": "n", "kind": "category", "learn": True, "rare_below": 5},
            "features.n.rare_below: goes with learn: true",
        ),
        (
            {"name": "n", "kind": "category", "categories": ["(other)"], "unseen": "other"},
            "features.n.categories: (other)",
        ),
        ({**DATE, "minimum": 1}, "features.when: minimum and maximum go with numbers"),
        ({**DATE, "parts": ["hour"]}, "features.when.parts: hour is no part of a date; accepted: kind: datetime"),
        ({**DATE, "parts": ["moon"]}, "features[2].parts[0]: "),
        ({**DATE, "parts": []}, "features.when: becomes nothing: write parts"),
        ({**DATE, "parts": ["year"], "cyclic": True}, "features.when.cyclic: goes with parts that come round"),
        ({**DATE, "since": "size"}, "features.when.since: size is no other feature of kind date or datetime"),
        ({**DATE, "format": "%d.%m.%y"}, "features.when.format: has %y; accepted: %Y, %m, %d"),
        ({**DATE, "format": "%d.%m."}, "features.when.format: has no year, month or day"),
        ({**DATE, "format": "%Y%m%d %H"}, "features.when.format: has a time, and kind: date has none"),
        ({**DATE, "missing": "30.2.2026"}, "features.when.missing: is written otherwise than ISO 8601 says"),
        (
            {"name": "when", "kind": "datetime", "format": "%Y%m%d %M", "parts": ["day"]},
            "features.when.format: has a part",
        ),
    ],
)
def test_a_wrong_date_text_or_open_category_is_refused_with_its_key(feature: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError) as problem:
        Contract.parse(changed("features", [*GOOD["features"], feature]), "model.yaml")
    assert message in str(problem.value)


def test_a_feature_that_is_called_as_a_part_of_a_date_is_refused() -> None:
    with pytest.raises(ContractError, match=r"one of its numbers is called when\.month, and so is another feature"):
        Contract.parse(changed("features", [{"name": "size"}, DATE, {"name": "when.month"}]), "model.yaml")


def test_a_regression_has_a_number_to_predict_and_a_greatest_error() -> None:
    contract = Contract.parse(PRICES, "")
    assert contract.target.as_feature.encode(250) == 250.0
    assert [bound_of(part) for part in (contract.gate, *contract.gate.slices)] == [12.5, 20.0]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("search", GOOD["search"], "search.metric: is missing; accepted for a regression: rmse, mae, median_abs"),
        ("gate", {"metric": "rmse", "minimum": 3}, "gate.minimum: of rmse less is better; write maximum"),
        ("gate", {"metric": "r2", "maximum": 3}, "gate.maximum: of r2 more is better; write minimum"),
        ("gate.slices.0", {"feature": "size", "below": 5, "at_least": 1}, "gate.slices[0].at_least: of mae less is"),
        ("target.maximum", 0, "target.minimum: is not below maximum"),
        ("decision", {"maximise": "f1"}, "decision: goes with two classes; target.classes has none"),
    ],
)
def test_a_wrong_regression_is_refused_with_file_and_key(path: str, value: object, message: str) -> None:
    with pytest.raises(ContractError) as refusal:
        Contract.parse(changed(path, value, PRICES), "models/tiny/model.yaml")
    assert message in str(refusal.value)


def test_the_digest_of_a_classification_is_what_it_was_before_there_were_regressions() -> None:
    assert Contract.parse(GOOD, "").digest == DIGEST


def test_the_experiments_are_every_combination_once_in_a_fixed_order() -> None:
    experiments = Contract.parse(GOOD, "").search.experiments()
    assert experiments == [
        {"C": 0.1, "penalty": "l2"},
        {"C": 0.1, "penalty": None},
        {"C": 1.0, "penalty": "l2"},
        {"C": 1.0, "penalty": None},
    ]


def test_a_random_search_draws_the_same_experiments_every_time() -> None:
    drawn = changed("search", {**GOOD["search"], "method": "random", "trials": 2, "seed": 3})
    search = Contract.parse(drawn, "").search
    everything = Contract.parse(GOOD, "").search.experiments()
    assert search.experiments() == search.experiments()
    assert len(search.experiments()) == 2
    assert all(point in everything for point in search.experiments())


def test_thresholds_of_a_rollout_that_say_what_is_the_default_are_those_of_before_there_were_risks() -> None:
    said = {
        "risk": {"withdraw_good": 0.05, "unit": "request"},
        "without_evidence": "promote",
        "maximum_error_rate": 0.01,
    }
    plain = Contract.parse(changed("rollout", {"maximum_error_rate": 0.01}), "")
    assert Contract.parse(changed("rollout", said), "").digest == plain.digest
    for other in ({"without_evidence": "roll_back"}, {"risk": {"promote_bad": 0.1}}):
        assert Contract.parse(changed("rollout", other), "").digest != plain.digest


@pytest.mark.parametrize(
    ("risk", "told"),
    [
        ({"withdraw_good": 0}, "withdraw_good"),
        ({"promote_bad": 0.6}, "promote_bad"),
        ({"unacceptable_odds": 1}, "unacceptable_odds"),
        ({"unit": "minute"}, "unit"),
        ({"wrong": 1}, "wrong"),
    ],
)
def test_a_risk_that_cannot_be_kept_to_is_refused(risk: dict[str, Any], told: str) -> None:
    with pytest.raises(ContractError, match=rf"rollout\.risk\.{told}: .*accepted"):
        Contract.parse(changed("rollout", {"risk": risk}), "model.yaml")


def test_another_contract_has_another_digest_and_the_same_one_the_same() -> None:
    assert Contract.parse(GOOD, "").digest == Contract.parse(copy.deepcopy(GOOD), "elsewhere").digest
    assert Contract.parse(GOOD, "").digest != Contract.parse(changed("search.seed", 1), "").digest


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).mkdir()
    (folder / name / "model.yaml").write_text(text, encoding="utf-8")


def test_a_contract_that_is_no_yaml_is_one_sentence_with_its_line(tmp_path: Path) -> None:
    write(tmp_path, "tiny", "name: tiny\nseed: [\n")
    with pytest.raises(ContractError) as refused:
        Contract.load("tiny", tmp_path)
    sentence = str(refused.value)
    assert sentence.startswith(f"{tmp_path.name}/tiny/model.yaml: line 3: is not YAML: ")
    assert "\n" not in sentence


def test_a_model_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    write(tmp_path, "other", "name: other")
    with pytest.raises(ContractError, match="does not exist; models here: other"):
        Contract.load("tiny", tmp_path)


@pytest.mark.parametrize("text", ["a: [", "\t- x", "[]", "hello", "", "&a [*a]", "? [1, 2]\n: 3"])
def test_a_file_that_is_no_contract_is_refused_by_name(text: str, tmp_path: Path) -> None:
    write(tmp_path, "tiny", text)
    with pytest.raises(ContractError, match=r"tiny/model\.yaml"):
        Contract.load("tiny", tmp_path)


def test_the_folder_and_the_name_must_agree(tmp_path: Path) -> None:
    write(tmp_path, "tiny", Path("models/breast_cancer/model.yaml").read_text(encoding="utf-8"))
    with pytest.raises(ContractError, match="name: is breast_cancer, but the folder is tiny"):
        Contract.load("tiny", tmp_path)
