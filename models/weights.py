"""What the rows of a dataset weigh: by a column, by their classes, or by both."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, model_validator

from models.complaint import Words, mistake
from models.feature import LARGEST
from models.section import Section
from models.split import Column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BY_CLASS = "a mapping from each class to a number above 0"


def _above_zero(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    for name, weight in value.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= LARGEST:
            raise mistake(f"is {json.dumps(weight)[:40]}; accepted: a number above 0", name)
    return {name: float(weight) for name, weight in value.items()}


ByClass = Annotated[
    Literal["balanced"] | dict[str, Any] | None, AfterValidator(_above_zero), Words(f"balanced, or {_BY_CLASS}")
]


class Weights(Section):
    """By what rows weigh; scikit-learn has them as `sample_weight` and `class_weight`."""

    column: Column = None
    """A column of numbers of 0 or more: in `fit`, and in every figure, a row counts as much as it says. No feature."""
    classes: ByClass = None
    """In `fit` alone: what a row of each class weighs. `balanced`: so much that all classes come to the same."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.column is None and self.classes is None:
            raise mistake("says nothing; accepted: column, classes or both")
        return self

    @property
    def words(self) -> str:
        """What the classes weigh, as reports say it; empty where they weigh nothing of their own."""
        if isinstance(self.classes, dict):
            return ", ".join(f"{name} {weight:g}" for name, weight in self.classes.items())
        return self.classes or ""


def check_weights(weights: Weights, named: Mapping[str, str], classes: Sequence[str]) -> None:
    """Refuse weights that do not fit the rest of a contract. Raise what a validator raises.

    `named` says what each column is that the contract names elsewhere; a number to predict has no `classes`.
    """
    if (found := named.get(weights.column or "")) is not None:
        told = f"{weights.column} is {found}; accepted: a column that is nothing else"
        raise mistake(told, "weights", "column")
    if weights.classes is not None and not classes:
        raise mistake("goes with task: classification; a number to predict has no classes", "weights", "classes")
    if isinstance(weights.classes, dict):
        for name in weights.classes:
            if name not in classes:
                told = f"{name} is no class; accepted: {', '.join(classes)}"
                raise mistake(told, "weights", "classes", label="weights.classes")
        if lacking := [name for name in classes if name not in weights.classes]:
            raise mistake(f"says nothing of {', '.join(lacking[:10])}; accepted: {_BY_CLASS}", "weights", "classes")
