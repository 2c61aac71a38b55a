"""What one feature of a model is, and how a value given for it becomes a number.

The same code reads a dataset before training and a request at prediction, from the same
declaration, which is frozen beside every version: serving cannot drift from training.
Standard library only: it is imported on the way to every cold start.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "integer", "boolean", "category"]
Missing = Literal["reject", "keep"]

BLANK = frozenset({"", "na", "nan", "null", "none"})
"""Texts of a CSV cell that mean that there is no value, whatever their case."""


class UnacceptableValue(ValueError):
    """A value that its feature does not accept. The text says what is accepted, never what was given."""


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One column.

    `missing` is "reject" (a row without a value is refused), "keep" (it becomes NaN, for
    models that know what to do with it) or a number or category that takes its place.
    """

    name: str
    kind: Kind = "number"
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str, ...] = ()
    missing: Missing | float | str = "reject"
    description: str = ""

    def encode(self, value: object) -> float:
        """The number that the model sees: a category becomes its position, a boolean 0 or 1.

        Accepts JSON values and the text of a CSV cell. Raises `UnacceptableValue`.
        """
        if value is None or (isinstance(value, str) and value.strip().lower() in BLANK):
            return self._encode_missing()
        if self.kind == "category":
            return self._position(value)
        if self.kind == "boolean":
            return self._truth(value)
        return self._within(self._number(value))

    @property
    def accepts(self) -> str:
        """What is accepted, in words, for an error message."""
        if self.kind == "category":
            return f"one of {', '.join(self.categories)}"
        if self.kind == "boolean":
            return "true or false"
        noun = "a whole number" if self.kind == "integer" else "a finite number"
        if self.minimum is not None and self.maximum is not None:
            return f"{noun} from {self.minimum:g} to {self.maximum:g}"
        if self.minimum is not None:
            return f"{noun}, {self.minimum:g} or more"
        if self.maximum is not None:
            return f"{noun}, {self.maximum:g} or less"
        return noun

    def _encode_missing(self) -> float:
        if self.missing == "reject":
            raise UnacceptableValue(f"is missing; accepted: {self.accepts}")
        if self.missing == "keep":
            return math.nan
        return self._position(self.missing) if self.kind == "category" else float(self.missing)

    def _position(self, value: object) -> float:
        try:
            return float(self.categories.index(value if isinstance(value, str) else str(value)))
        except ValueError:
            raise UnacceptableValue(f"is not {self.accepts}") from None

    def _truth(self, value: object) -> float:
        text = str(value).strip().lower()
        if text in ("true", "1", "1.0", "yes"):
            return 1.0
        if text in ("false", "0", "0.0", "no"):
            return 0.0
        raise UnacceptableValue(f"is not {self.accepts}")

    def _number(self, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise UnacceptableValue(f"is not {self.accepts}")
        try:
            number = float(value)
        except (ValueError, OverflowError):
            raise UnacceptableValue(f"is not {self.accepts}") from None
        if not math.isfinite(number) or (self.kind == "integer" and number != int(number)):
            raise UnacceptableValue(f"is not {self.accepts}")
        return number

    def _within(self, number: float) -> float:
        if (self.minimum is not None and number < self.minimum) or (self.maximum is not None and number > self.maximum):
            raise UnacceptableValue(f"is not {self.accepts}")
        return number
