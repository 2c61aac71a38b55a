"""What clients of a version would notice of another one, by the cards of trained models."""

from __future__ import annotations

from typing import Any

import pytest

from functions.core.selection.compatibility import broken

MASS: dict[str, Any] = {"name": "mass", "kind": "number", "minimum": 0.0, "maximum": 9.0, "missing": "reject"}
ISLAND: dict[str, Any] = {"name": "island", "kind": "category", "categories": ["Biscoe", "Dream"], "missing": "keep"}
OPEN = {**ISLAND, "unseen": "other"}
TARGET = {"name": "species", "classes": ["adelie", "gentoo"]}


def card(*features: dict[str, Any], task: str = "classification", **target: Any) -> dict[str, Any]:
    return {"task": task, "features": list(features or (MASS, ISLAND)), "target": {**TARGET, **target}}


@pytest.mark.parametrize(
    "after",
    [
        card(),
        card({**MASS, "minimum": -1.0, "maximum": None, "missing": "keep", "description": "in kg"}, ISLAND),
        card(MASS, {**ISLAND, "categories": ["Biscoe", "Dream", "Torgersen"]}),
        card(MASS, {**OPEN, "learn": True, "rare_below": 5}),
    ],
    ids=["the same", "it takes more", "a further category", "any category"],
)
def test_clients_notice_nothing_of_a_version_that_takes_all_that_the_other_did(after: dict[str, Any]) -> None:
    assert broken(card(), after) == []


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (card(MASS), ["the feature island is gone"]),
        (card(MASS, ISLAND, {**MASS, "name": "age"}), ["the feature age is new"]),
        (card(ISLAND, MASS), ["the features are in another order"]),
        (card({**MASS, "kind": "integer"}, ISLAND), ["the feature mass has kind integer, and had number"]),
        (card({**MASS, "words": 8}, ISLAND), ["the feature mass has words 8, and had None"]),
        (card({**MASS, "minimum": 1.0}, ISLAND), ["the feature mass has the minimum 1, and had 0"]),
        (card(MASS, {**ISLAND, "maximum": 3.0}), ["the feature island has the maximum 3, and had none"]),
        (card(MASS, {**ISLAND, "missing": "reject"}), ["the feature island may not be missing any more"]),
        (
            card(MASS, {**ISLAND, "categories": ["Dream", "Biscoe"]}),
            ["the feature island has other categories, or in another order"],
        ),
        (card(classes=["gentoo", "adelie"]), ["the classes are other ones, or in another order"]),
        (card(unit="kg"), ["the answer is in kg, and was in none"]),
        (card(task="regression"), ["the live version is of task classification"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_clients_would_have_to_send_otherwise_or_get_is_named(after: dict[str, Any], said: list[str]) -> None:
    assert broken(card(), after) == said


def test_any_other_value_of_a_category_stays_accepted_and_where_tensors_have_it() -> None:
    before = card(MASS, OPEN)
    assert broken(before, card(MASS, {**OPEN, "learn": True, "rare_below": 5})) == []
    assert broken(before, card()) == ["the feature island does not take any other value any more"]
    further = {**OPEN, "categories": ["Biscoe", "Dream", "Torgersen"]}
    assert broken(before, card(MASS, further)) == ["the feature island has other categories, or in another order"]


NUMBER: dict[str, Any] = {"task": "regression", "features": [MASS], "target": {"name": "length", "unit": "mm"}}
ALONE = {**NUMBER, "outputs": {"value": "value"}}
BETWEEN = {**NUMBER, "outputs": {"value": "value", "low": "low", "high": "high"}, "interval": {"coverage": 0.9}}


def test_an_interval_may_come_and_clients_notice_where_it_goes_or_holds_another_share() -> None:
    assert broken(ALONE, BETWEEN) == broken(BETWEEN, BETWEEN) == []
    assert broken(BETWEEN, ALONE) == ["the output low is gone", "the output high is gone"]
    assert broken(BETWEEN, {**BETWEEN, "interval": {"coverage": 0.5}}) == [
        "the interval is to hold 0.5 of the truths, and was to hold 0.9"
    ]
