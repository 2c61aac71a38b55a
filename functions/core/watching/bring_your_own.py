"""The answers of a finished model that names the classes of an output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.training.class_answers import ClassAnswers
from functions.core.training.classification import Classification
from functions.core.watching.answered import Answered, Captured, Card
from functions.core.watching.captured_columns import CapturedColumns, ScoreColumns
from models.contract import Target
from models.feature import Feature

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from functions.core.registry.truths import Truth
    from functions.core.training.answers import Answers
    from functions.core.training.task import Task
    from functions.core.watching.captured_rows import CapturedRows
    from models.bring_your_own import BringYourOwn, Scores
    from models.labels import Labels


@dataclass(frozen=True, kw_only=True)
class BringYourOwnAnswers(Answered):
    contract: BringYourOwn
    scores: Scores

    @property
    def measure(self) -> str:
        return "accuracy"

    @property
    def metrics(self) -> Sequence[str]:
        # Nobody knows whether its scores are probabilities: what is measured are the labels.
        return "accuracy", "balanced_accuracy"

    @property
    def task(self) -> Task[Any]:
        return Classification(Target(name="truth", classes=self.scores.classes))

    @property
    def labels(self) -> Labels:
        return self.contract.labels

    @property
    def truth(self) -> Feature:
        return Feature(name="truth", kind="category", categories=self.scores.classes)

    @property
    def columns(self) -> tuple[Feature, ...]:
        return ()

    @property
    def lacks(self) -> tuple[str, ...]:
        return ()

    @property
    def remark(self) -> str:
        return ""

    def captured(self, card: Card) -> CapturedColumns:
        return ScoreColumns(card)

    def rows(self, rows: CapturedRows, card: Card) -> Callable[[int], Captured]:
        numbers = np.column_stack([rows.outputs[name] for name in card["scores"]["classes"]])
        return lambda at: Captured((), numbers[at].tolist())

    def why_not_comparable(self, card: Card) -> str:
        known = tuple((card.get("scores") or {}).get("classes", ()))
        return "" if known == self.scores.classes else "the version knows other classes"

    def answers(self, inputs: np.ndarray, outputs: np.ndarray, card: Card) -> Answers:
        return ClassAnswers.likeliest(outputs)

    def y(self, truths: Sequence[Truth]) -> np.ndarray:
        return np.array([self.truth.encode(truth) for truth in truths], dtype=np.int64)

    def cells(self, card: Card) -> Callable[[Sequence[float]], Sequence[str]]:
        return lambda _: ()
