"""The answers of a model that is trained here, and its rows as a dataset has them."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.registry.versions import features_of
from functions.core.training.choice import task_of
from functions.core.training.class_answers import ClassAnswers, Threshold
from functions.core.training.number_answers import Ends, NumberAnswers
from functions.core.watching.answered import Answered, Captured, Card
from functions.core.watching.captured_columns import TrainedColumns
from models.feature import COMPOUND, in_32_bits
from models.terms import spans_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from functions.core.registry.truths import Truth
    from functions.core.training.answers import Answers
    from functions.core.training.task import Task
    from functions.core.watching.captured_rows import CapturedRows
    from models.contract import Contract
    from models.feature import Feature
    from models.labels import Labels


@dataclass(frozen=True, kw_only=True)
class TrainedAnswers(Answered):
    contract: Contract

    @property
    def task(self) -> Task[Any]:
        return task_of(self.contract)

    @property
    def measure(self) -> str:
        return self.contract.gate.measure

    @property
    def metrics(self) -> Sequence[str]:
        return self.task.metrics

    @property
    def labels(self) -> Labels:
        return self.contract.labels

    @property
    def truth(self) -> Feature:
        return self.contract.target.as_feature

    @property
    def columns(self) -> tuple[Feature, ...]:
        # The numbers that a date or a text becomes do not tell what it was.
        return tuple(one for one in self.contract.columns if one.kind not in COMPOUND)

    @property
    def lacks(self) -> tuple[str, ...]:
        compound = [one.name for one in self.contract.columns if one.kind in COMPOUND]
        return tuple(dict.fromkeys([*compound, *self.contract.row_columns]))

    @property
    def remark(self) -> str:
        return "" if self.contract.weight_column is None else "rows count alike, as no request says what they weigh"

    def captured(self, card: Card) -> TrainedColumns:
        return TrainedColumns(card)

    def rows(self, rows: CapturedRows, card: Card) -> Callable[[int], Captured]:
        columns = self.captured(card)
        inputs = _stacked(rows.inputs, columns.names, rows.rows)
        outputs = _stacked(rows.outputs, columns.answers, rows.rows)
        return lambda at: Captured(_numbers(inputs[at]), _numbers(outputs[at]))

    def why_not_comparable(self, card: Card) -> str:
        return self.task.why_not_comparable(card)

    def answers(self, inputs: np.ndarray, outputs: np.ndarray, card: Card) -> Answers:
        if self.contract.is_of_numbers:
            ends = Ends(low=outputs[:, 1], high=outputs[:, 2]) if outputs.shape[1] > 2 else None
            return self.task.beside(NumberAnswers(values=outputs[:, 0], ends=ends), inputs)
        said, threshold = ClassAnswers.likeliest(outputs), Threshold.parse(card.get("threshold"))
        return said if threshold is None else said.decided(threshold)

    def y(self, truths: Sequence[Truth]) -> np.ndarray:
        numbers = [self.truth.encode(truth) for truth in truths]
        return np.array(numbers, dtype=np.float64 if self.contract.is_of_numbers else np.int64)

    def cells(self, card: Card) -> Callable[[Sequence[float]], Sequence[str]]:
        features = features_of(card)
        spans, known = spans_of(features), {one.name: one for one in features}
        places = [(known[one.name], spans[one.name].start) if one.name in known else None for one in self.columns]

        def written(inputs: Sequence[float]) -> Sequence[str]:
            return ["" if place is None else cell(place[0], inputs[place[1]]) for place in places]

        return written


def _stacked(columns: Mapping[str, np.ndarray], names: Sequence[str], rows: int) -> np.ndarray:
    """Return columns side by side, in 32 bits as the model had them: float32 [rows, names], NaN for a missing one."""
    stacked = np.full((rows, len(names)), np.nan, dtype=np.float32)
    for at, name in enumerate(names):
        if name in columns:
            stacked[:, at] = columns[name]
    return stacked


def _numbers(values: np.ndarray) -> array[float]:
    """Return numbers in as little memory as they have there, of which nothing else is held by them."""
    return array("f", values.tobytes())


def cell(feature: Feature, number: float) -> str:
    """Return the number of a feature as a table has it; a missing one is empty."""
    if math.isnan(number):
        return ""
    match feature.kind:
        case "category":
            return feature.names[int(number)]
        case "boolean":
            return "true" if number else "false"
        case "integer":
            return str(int(number))
    # What was sent: the shortest text that is this number in 32 bits, of which nine digits tell all.
    short = f"{number:.7g}"
    return short if in_32_bits(float(short)) == number else f"{number:.9g}"
