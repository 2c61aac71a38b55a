"""One feature of a model, and how its values are encoded as numbers.

Datasets before training and requests at prediction are encoded by the same code from the
same declaration, which is stored with every version: serving cannot drift from training.
This module uses the standard library only, as every cold start imports it.
"""

from __future__ import annotations

import math
import re
import struct
from typing import Any, ClassVar, Literal

from models.light import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Kind = Literal["number", "integer", "boolean", "category", "date", "datetime", "text"]
Missing = Literal["reject", "keep"]
Unseen = Literal["reject", "other"]
Part = Literal["year", "month", "week", "day", "day_of_year", "weekday", "hour", "minute"]

COMPOUND = frozenset({"date", "datetime", "text"})
"""Kinds of which the model gets several numbers: see `models/terms.py`."""
WRITTEN = COMPOUND | {"category"}
"""Kinds whose values are texts to JSON, too."""
OTHER = "(other)"
"""What the position after the last category is called, where a value that is none of them is accepted."""

BLANK = frozenset({"", "na", "nan", "null", "none"})
"""Texts of a CSV cell that mean a missing value, in upper or lower case."""

LARGEST = 3.4028234663852886e38
"""The largest float32: a greater number would be infinity to the model."""

WHOLE_NUMBER = re.compile(r"(-?\d+)\.0+")
"""A whole number as many programs write it where a column has gaps: 1.0 for the category 1."""
_TRUE = frozenset({"true", "1", "1.0", "yes"})
_FALSE = frozenset({"false", "0", "0.0", "no"})
_WRITTEN = {"date": "2026-11-30", "datetime": "2026-11-30T08:15:00Z"}
_SHOWN = 20
_LATER = frozenset({"unseen", "learn", "rare_below", "format", "parts", "cyclic", "since", "words"})
"""Keys that a feature has not had from the beginning: one without them is written as it always was."""


class UnacceptableValue(ValueError):
    """A feature does not accept a value. The text says what is accepted, and never repeats the value."""


@dataclass(frozen=True, kw_only=True)
class Feature:
    """The declaration of one feature: a column as a person reads, writes and sends it.

    `missing` says what to do without a value: "reject" the row, "keep" it as NaN, for models
    that accept NaN, or a value of the feature to use instead. A number is held against bounds,
    and must be whole, as the model gets it: rounded to 32 bits, as the bounds are.

    A value that is not in its categories is refused, or is the position after the last where `unseen` is "other".
    Categories that are to `learn` are the values of a dataset, but for those in fewer rows than `rare_below`.
    A date becomes its `parts`, each a sine and a cosine where it is `cyclic`, and the days `since` another
    column; it is written as in ISO 8601, or by its `format`. A text becomes counts of its words, `words` of them.
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
    unseen: Unseen = "reject"
    learn: bool = False
    rare_below: int | None = None
    format: str = ""
    parts: tuple[Part, ...] = ()
    cyclic: bool = False
    since: str = ""
    words: int | None = None

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Feature:
        """Read what `document` returns, also after it has been JSON."""
        fields: dict[str, Any] = {**document}
        fields |= {name: tuple(fields[name]) for name in ("categories", "parts") if name in fields}
        return cls(**fields)

    def document(self) -> dict[str, Any]:
        """Return the declaration by its keys."""
        own = vars(type(self))
        return {key: value for key, value in vars(self).items() if key not in _LATER or value != own[key]}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of a category's positions."""
        return (*self.categories, OTHER) if self.unseen == "other" else self.categories

    @property
    def must_learn(self) -> bool:
        """Whether it is yet to learn its categories from a dataset."""
        return self.learn and not self.categories

    def encode(self, value: object) -> float:
        """Return the number for a value, in 32 bits: a category becomes its position, a boolean 0 or 1.

        `value` is a JSON value or the text of a CSV cell. Raises only `UnacceptableValue`.
        `models/terms.py` reads what becomes several numbers: a date, a text.
        """
        if not self.is_blank(value):
            return self.known(value)
        if self.missing == "reject":
            raise UnacceptableValue(f"is missing; accepted: {self.accepts}")
        return math.nan if self.missing == "keep" else self.known(self.missing)

    def encode_typed(self, value: object) -> float:
        """Return the number for a JSON value, whose type must fit: no number is a text.

        A category that is a whole number, or true or false, may be written as one, as other formats hold it.
        Raises only `UnacceptableValue`.
        """
        if isinstance(value, str) and self.kind not in WRITTEN:
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
        match self.kind:
            case "category" if self.categories and self.unseen == "reject":
                more = f", ... ({len(self.categories)} in all)" if len(self.categories) > _SHOWN else ""
                return f"one of {', '.join(self.categories[:_SHOWN])}{more}"
            case "category" | "text":
                return "a text"
            case "date" | "datetime":
                noun = "a date" if self.kind == "date" else "a date and time"
                return f"{noun} written as {self.format}" if self.format else f"{noun} such as {_WRITTEN[self.kind]}"
            case "boolean":
                return "true or false"
            case _:
                return self._accepted_number

    @property
    def _accepted_number(self) -> str:
        noun = "a whole number" if self.kind == "integer" else "a finite number"
        if self.minimum is None:
            return noun if self.maximum is None else f"{noun}, {exactly(self.maximum)} or less"
        if self.maximum is None:
            return f"{noun}, {exactly(self.minimum)} or more"
        return f"{noun} from {exactly(self.minimum)} to {exactly(self.maximum)}"

    @property
    def has_later(self) -> bool:
        """Whether it is declared by keys or kinds that features have not had from the beginning."""
        return self.kind in COMPOUND or not _LATER.isdisjoint(self.document())

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the declaration: a key, "" for all of it, and a sentence."""
        if not self.name.strip() or self.name != self.name.strip() or not self.name.isprintable():
            yield "", "a name is printable, not empty, and has no space around it"
        if (self.kind == "category") != bool(self.categories) and not self.must_learn:
            yield "", "categories go with kind: category, and only with it"
        if len(set(self.categories)) != len(self.categories):
            yield "categories", "a category stands twice"
        bounds = [bound for bound in (self.minimum, self.maximum) if bound is not None]
        if self.kind not in ("number", "integer") and bounds:
            yield "", "minimum and maximum go with numbers"
        if bounds != sorted(bounds) or not all(math.isfinite(bound) for bound in bounds):
            yield "", "minimum and maximum are finite, and minimum is not above maximum"
        if self.missing not in ("reject", "keep") and self.kind not in COMPOUND and not self.must_learn:
            try:
                self.known(self.missing)
            except UnacceptableValue as problem:
                yield "missing", str(problem)

    def is_blank(self, value: object) -> bool:
        """Return whether a value stands for none: null, or one of the texts that say so."""
        # A category may be called "none".
        return value is None or (
            isinstance(value, str) and value not in self.categories and value.strip().lower() in BLANK
        )

    def _position(self, value: object) -> float:
        text = self.text(value)
        if text in self.categories:
            return float(self.categories.index(text))
        if text is None or self.unseen == "reject":
            raise self._refusal()
        return float(len(self.categories))

    def text(self, value: object) -> str | None:
        """Return a value as a text; None for one that is neither text nor a number."""
        match value:
            case str():
                return self._category(value)
            case bool():
                return "true" if value else "false"
            case int() if abs(value) <= LARGEST:
                return str(value)
            case float() if math.isfinite(value):
                return str(int(value)) if value.is_integer() else repr(value)
            case _:
                return None

    def _category(self, text: str) -> str:
        if text in self.categories:
            return text
        whole = WHOLE_NUMBER.fullmatch(text.strip())
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


def any_compound(features: Iterable[Feature]) -> bool:
    """Return whether one of the features has several terms."""
    return not COMPOUND.isdisjoint([feature.kind for feature in features])


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
