"""How a model of two classes decides: where on the scale of its probability the positive class begins."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from models.complaint import mistake
from models.section import Section


class Costs(Section):
    """What a wrong answer costs, in any unit: the ratio of the two decides."""

    false_positive: float = Field(gt=0)
    false_negative: float = Field(gt=0)


class Decision(Section):
    """What the threshold is chosen for, on the folds: one of these."""

    maximise: Literal["f1", "accuracy", "balanced_accuracy"] | None = None
    costs: Costs | None = None
    """The least cost of all rows together."""
    precision: float | None = Field(default=None, gt=0, le=1)
    """The greatest recall at this precision or a higher one."""
    recall: float | None = Field(default=None, gt=0, le=1)
    """The greatest precision at this recall or a higher one."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            said = f"has {' and '.join(given)}" if given else "says nothing"
            raise mistake(f"{said}; accepted: one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def words(self) -> str:
        """What the threshold is chosen for, as reports say it."""
        if self.costs is not None:
            wrong = f"{self.costs.false_positive:g} for a false positive, {self.costs.false_negative:g} for a false"
            return f"the least cost, {wrong} negative"
        if self.precision is not None:
            return f"the greatest recall at a precision of {self.precision:g}"
        if self.recall is not None:
            return f"the greatest precision at a recall of {self.recall:g}"
        return f"the greatest {self.maximise}"


def check_decision(decision: Decision | None, classes: int) -> None:
    """Refuse a decision about other than two classes; a number to predict has none. Raise what a validator raises."""
    if decision is not None and classes != 2:
        raise mistake(f"goes with two classes; target.classes has {classes or 'none'}", "decision")
