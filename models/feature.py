"""One feature of a model, and how its values are encoded as numbers.

Datasets before training and requests at prediction are encoded by the same code from the
same declaration, which is stored with every version: serving cannot drift from training.
This module uses the standard library only, as every cold start imports it.
"""

from __future__ import annotations

import math
import re
import struct
from typing import ClassVar, Literal

from models.light import dataclass

Kind = Literal["number", "integer", "boolean", "category"]
Missing = Literal["reject", "keep"]

BLANK = frozenset({"", "na", "nan", "null", "none"})
"""Texts of a CSV cell that mean a missing value, in upper or lower case."""

LARGEST = 3.4028234663852886e38
"""The largest float32: a greater number would be infinity to the model."""

_WHOLE = re.compile(r"(-?\d+)\.0+")
"""A whole number as many programs write it where a column has gaps: 1.0 for the category 1."""
_TRUE = frozenset({"true", "1", "1.0", "yes"})
_FALSE = frozenset({"false", "0", "0.0", "no"})
_SHOWN = 20


class UnacceptableValue(ValueError):
    """A feature does not accept a value. The text says what is accepted, and never repeats the value."""


@dataclass(frozen=True, kw_only=True)
class Feature:
    """The declaration of one feature.

    `missing` says what to do without a value: "reject" the row, "keep" it as NaN, for models
    that accept NaN, or a value of the feature to use instead. A number is held against bounds,
    and must be whole, as the model gets it: rounded to 32 bits, as the bounds are.
    """

    # pydantic reads this when it checks a contract: a misspelt key is refused.
    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}

    name: str
    kind: Kind = "number"
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str, ...] = ()
    missing: Missing | bool | float | str = "reject"
    description: str = ""

    def encode(self, value: object) -> float:
        """Return the number for a value, in 32 bits: a category becomes its position, a boolean 0 or 1.

        `value` is a JSON value or the text of a CSV cell. Raises only `UnacceptableValue`.
        """
        if not self.is_blank(value):
            return self.known(value)
        if self.missing == "reject":
            raise UnacceptableValue(f"is missing; accepted: {self.accepts}")
        return math.nan if self.missing == "keep" else self.known(self.missing)

    def encode_typed(self, value: object) -> float:
        """Return the number for a JSON value, whose type must fit: text is accepted for a category alone.

        A category that is a whole number, or true or false, may be written as one, as other formats hold it.
        Raises only `UnacceptableValue`.
        """
        if isinstance(value, str) and self.kind != "category":
            raise self._not_a_number()
        return self.encode(value)

    def known(self, value: object) -> float:
        """Return the number for a value that is not missing. Raises `UnacceptableValue`."""
        match self.kind:
            case "category":
                return self._position(value)
            case "boolean":
                return self._truth(value)
            case _:
                return self._within(self._number(value))

    @property
    def accepts(self) -> str:
        """What is accepted, as a text for error messages."""
        if self.kind == "category":
            more = f", ... ({len(self.categories)} in all)" if len(self.categories) > _SHOWN else ""
            return f"one of {', '.join(self.categories[:_SHOWN])}{more}"
        if self.kind == "boolean":
            return "true or false"
        noun = "a whole number" if self.kind == "integer" else "a finite number"
        if self.minimum is not None and self.maximum is not None:
            return f"{noun} from {exactly(self.minimum)} to {exactly(self.maximum)}"
        if self.minimum is not None:
            return f"{noun}, {exactly(self.minimum)} or more"
        if self.maximum is not None:
            return f"{noun}, {exactly(self.maximum)} or less"
        return noun

    def is_blank(self, value: object) -> bool:
        """Return whether a value stands for none: null, or one of the texts that say so."""
        if not isinstance(value, str):
            return value is None
        # A category may be called "none".
        return value not in self.categories and value.strip().lower() in BLANK

    def _position(self, value: object) -> float:
        match value:
            case str():
                text = self._category(value)
            case bool():
                text = "true" if value else "false"
            case int() if abs(value) <= LARGEST:
                text = str(value)
            case float() if value.is_integer():
                text = str(int(value))
            case _:
                text = None
        if text not in self.categories:
            raise self._refusal()
        return float(self.categories.index(text))

    def _category(self, text: str) -> str:
        if text in self.categories:
            return text
        whole = _WHOLE.fullmatch(text.strip())
        return text.strip() if whole is None or text.strip() in self.categories else whole[1]

    def _truth(self, value: object) -> float:
        if isinstance(value, (bool, int, float)) and value in (0, 1):
            return float(value)
        text = value.strip().lower() if isinstance(value, str) else ""
        if text in _TRUE or text in _FALSE:
            return float(text in _TRUE)
        raise self._refusal()

    def _number(self, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise self._refusal()
        # Python reads "1_000" and digits of every script; a dataset that holds them is a mistake.
        if isinstance(value, str) and ("_" in value or not value.isascii()):
            raise self._not_a_number()
        try:
            number = float(value)
        except ValueError:
            raise self._not_a_number() from None
        except OverflowError:
            raise self._too_large() from None
        if not math.isfinite(number):
            raise self._refusal()
        try:
            rounded = in_32_bits(number)
        except OverflowError:
            raise self._too_large() from None
        if self.kind == "integer" and not float(rounded).is_integer():
            raise self._refusal()
        return rounded

    def _within(self, number: float) -> float:
        if (self.minimum is not None and number < nearest_in_32_bits(self.minimum)) or (
            self.maximum is not None and number > nearest_in_32_bits(self.maximum)
        ):
            raise self._refusal()
        return number

    def _refusal(self) -> UnacceptableValue:
        return UnacceptableValue(f"is not {self.accepts}")

    def _not_a_number(self) -> UnacceptableValue:
        return UnacceptableValue(f"is text; accepted: {self.accepts}")

    def _too_large(self) -> UnacceptableValue:
        return UnacceptableValue(f"is beyond what 32 bits can hold; accepted: {self.accepts}")


def in_32_bits(number: float) -> float:
    """Return the nearest number that a float32 holds. Raise `OverflowError` beyond the largest."""
    return struct.unpack("<f", struct.pack("<f", number))[0]


def nearest_in_32_bits(bound: float) -> float:
    """Return a bound as a float32 holds it; one beyond the largest becomes the largest."""
    try:
        return in_32_bits(bound)
    except OverflowError:
        return math.copysign(LARGEST, bound)


def exactly(number: float) -> str:
    """Return a number with all of its digits: 16777217, 0.1, 1e-07."""
    return str(int(number)) if float(number).is_integer() and abs(number) < 1e16 else repr(float(number))
