from __future__ import annotations

import json

import numpy as np

from functions.core.selection.answer_profile import with_answers
from functions.core.training.choice import task_of
from functions.core.training.class_answers import ClassAnswers
from functions.core.training.number_answers import NumberAnswers
from models.contract import Contract
from tests.functions.bench import contract
from tests.functions.prices import PRICES

THREE = contract(target={"classes": ["no", "yes", "perhaps"]})
PRICE = Contract.parse(PRICES, "model.yaml")


def test_of_more_than_two_classes_the_likeliest_is_counted() -> None:
    answers = ClassAnswers.likeliest(np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.2, 0.2, 0.6]]))
    found = json.loads(with_answers(b'{"rows": 3}', THREE, task_of(THREE), answers))
    assert found["answers"] == {
        "of": "likeliest class",
        "at": 2,
        "kind": "category",
        "count": 3,
        "missing": 0,
        "categories": ["no", "yes", "perhaps"],
        "counts": [1, 0, 2],
    }
    assert found["rows"] == 3


def test_of_numbers_the_predictions_are_described() -> None:
    found = json.loads(with_answers(b"{}", PRICE, task_of(PRICE), NumberAnswers(values=np.arange(100.0))))["answers"]
    assert (found["of"], found["at"], found["count"], found["counts"]) == ("prediction", 0, 100, [10] * 10)
