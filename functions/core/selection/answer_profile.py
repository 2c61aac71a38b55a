"""How a candidate's answers to the holdout are spread, for the answers of its service to be compared with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.dataset.profile import describe
from functions.core.storage.objects import canonical
from functions.core.training.class_answers import ClassAnswers
from models.feature import Feature

if TYPE_CHECKING:
    from functions.core.training.answers import Answers
    from functions.core.training.task import Task
    from models.contract import Contract


def with_answers(profile: bytes, contract: Contract, task: Task[Any], answers: Answers) -> bytes:
    """Return a dataset's profile, and in it as `answers` how a version answered the rows that no experiment saw.

    Of two classes it is the probability of the last one, of more the likeliest class, else the number. No later
    moment knows it as well: the rows that come are others.
    """
    classes = contract.target.classes
    if len(classes) > 2 and isinstance(answers, ClassAnswers):
        of, feature = "likeliest class", Feature(name="", kind="category", categories=classes)
        level = answers.probabilities.argmax(axis=1).astype(np.float64)
    else:
        of, feature = f"probability of {classes[-1]}" if classes else "prediction", Feature(name="")
        level = task.level(answers)
    # Of the numbers of an answer the first is a prediction, the ends of its interval come after it.
    at = len(classes) - 1 if classes else 0
    return canonical({**json.loads(profile), "answers": {"of": of, "at": at, **describe(feature, level)}})
