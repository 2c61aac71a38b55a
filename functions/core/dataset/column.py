"""Encode a column by its feature, at the speed of numpy for plain numbers in bounds.

Every other value is passed to the feature, each different one once: what is accepted, and the
message for a refused value, are the same as at prediction.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from functions.core.dataset import arrow_memory
from functions.core.dataset.number_style import PLAIN, UNCERTAIN, NumberStyle, with_decimal_comma
from models.feature import COMPOUND, UnacceptableValue, nearest_in_32_bits
from models.light import replace

if TYPE_CHECKING:
    from arro3.core import Array, DataType

    from functions.core.dataset.table import Column
    from models.feature import Feature

EXACT = 2**24
"""The largest whole number up to which float32 holds every one."""
NO_DAY = "?"
"""What stands for a date that no calendar has."""
Outcome = float | str
"""The number for a value, or the reason for refusing it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class EncodedColumn:
    numbers: np.ndarray
    """[rows] in the type that was asked for; NaN where a value is refused, or missing and kept."""
    reasons: dict[int, str]
    """By position: why a value is refused."""
    rounded: np.ndarray
    """int64: positions of whole numbers that the type does not hold, and that became their neighbours."""
    before: np.ndarray
    """float64: what they were."""


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How the values of a table are to be understood."""

    typed: bool = False
    """Whether the text "1.5" is no number, as in JSON."""
    style: NumberStyle = PLAIN
    dtype: str = "float32"
    """The numbers that the model gets: float32, or float64."""

    def encode(self, feature: Feature, values: Column, places: dict[str, int] | None = None) -> EncodedColumn:
        """Return the numbers of a column, and the reason for every value that is refused.

        Where there are `places`, the numbers are those that they have for texts, and they get each new one.
        """
        column = _Encoder(feature, self, places)
        return column.python(values) if isinstance(values, list) else column.arrow(values)


class _Encoder:
    """Encodes one column of one batch."""

    def __init__(self, feature: Feature, encoding: Encoding, places: dict[str, int] | None) -> None:
        self._feature = feature
        self._places = places
        self._encoding = encoding
        self._numeric = feature.kind in ("number", "integer")
        self._known: dict[tuple[type, object], Outcome] = {}

    def arrow(self, array: Array) -> EncodedColumn:
        """Encode an Arrow array of any type."""
        from arro3.core import DataType  # noqa: PLC0415 - only tables of Arrow need it

        if DataType.is_dictionary(array.type):
            array = array.cast(cast("DataType", array.type.value_type))
        kind = array.type
        is_text = DataType.is_string(kind) or DataType.is_large_string(kind) or DataType.is_string_view(kind)
        if is_text:
            array = array.cast(DataType.string())
        if self._feature.kind in ("date", "datetime") and is_moment(array):
            self._feature = replace(self._feature, format="")  # it is no text that a person wrote
            return self._coded(written(array))
        if self._numeric and (is_text or _holds_numbers(array)):
            return self._numbers_of(array, is_text=is_text)
        if is_text:
            return self._coded(array)
        return self.python(_python_values(array))

    def _numbers_of(self, array: Array, *, is_text: bool) -> EncodedColumn:
        from arro3.core import DataType  # noqa: PLC0415

        there = arrow_memory.present(array)
        if is_text and self._encoding.style.decimal == ",":
            numbers = np.array(with_decimal_comma(array.to_pylist()), dtype=np.float64)
        else:
            parsed = array.cast(DataType.float64())
            numbers = np.where(arrow_memory.present(parsed), arrow_memory.values(parsed, "<f8"), np.nan)
        return self._checked(numbers, there, lambda at: array.take(at).to_pylist())

    def _coded(self, array: Array) -> EncodedColumn:
        """Encode an array of text through its different values."""
        from arro3.core import DataType, dictionary_dictionary, dictionary_indices  # noqa: PLC0415

        coded = array.cast(DataType.dictionary(DataType.int32(), DataType.string()))
        names, indices = dictionary_dictionary(coded).to_pylist(), dictionary_indices(coded)
        codes = np.where(arrow_memory.present(indices), arrow_memory.values(indices, "<i4"), len(names))
        outcomes = [self._outcome(value) for value in [*names, None]]
        table = np.array([outcome if isinstance(outcome, float) else np.nan for outcome in outcomes])
        refused = np.array([isinstance(outcome, str) for outcome in outcomes])
        reasons = {at: str(outcomes[codes[at]]) for at in np.flatnonzero(refused[codes]).tolist()}
        return self._finished(table[codes], reasons)

    def python(self, values: list[Any]) -> EncodedColumn:
        """Encode values as JSON has them."""
        if not self._numeric:
            outcomes = [self._outcome(value) for value in values]
            reasons = {at: outcome for at, outcome in enumerate(outcomes) if isinstance(outcome, str)}
            numbers = np.array([outcome if isinstance(outcome, float) else np.nan for outcome in outcomes], dtype="f8")
            return self._finished(numbers, reasons)
        numbers = _as_numbers(values)
        there = np.array([value is not None for value in values], dtype=bool)
        return self._checked(numbers, there, lambda at: [values[position] for position in at])

    def _checked(
        self, numbers: np.ndarray, there: np.ndarray, pick: Callable[[np.ndarray], Iterable[object]]
    ) -> EncodedColumn:
        """Hold numbers against the feature. `pick` returns the values at positions that need a closer look."""
        doubtful = ~self._accepts(numbers)
        reasons: dict[int, str] = {}
        missing = np.flatnonzero(doubtful & ~there)
        if len(missing):
            self._settle(numbers, reasons, missing.tolist(), [None] * len(missing))
        doubtful = np.flatnonzero(doubtful & there)
        if len(doubtful):
            self._settle(numbers, reasons, doubtful.tolist(), pick(doubtful))
        return self._finished(numbers, reasons)

    def _settle(
        self, numbers: np.ndarray, reasons: dict[int, str], positions: list[int], values: Iterable[object]
    ) -> None:
        for position, value in zip(positions, values, strict=True):
            outcome = self._outcome(value)
            if isinstance(outcome, str):
                reasons[position] = outcome
                numbers[position] = np.nan
            else:
                numbers[position] = outcome

    def _accepts(self, numbers: np.ndarray) -> np.ndarray:
        """Return which numbers are certainly accepted, bool [rows]; NaN is not."""
        feature, rounded = self._feature, self._rounded(numbers)
        accepted = np.isfinite(rounded)
        wide = self._encoding.dtype == "float64"
        if feature.minimum is not None:
            accepted &= rounded >= (feature.minimum if wide else nearest_in_32_bits(feature.minimum))
        if feature.maximum is not None:
            accepted &= rounded <= (feature.maximum if wide else nearest_in_32_bits(feature.maximum))
        if feature.kind == "integer":
            accepted &= rounded == np.trunc(rounded)
        return accepted

    def _rounded(self, numbers: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            return numbers.astype(self._encoding.dtype)

    def _outcome(self, value: object) -> Outcome:
        """Return the number, or the reason for refusing the value; each different value is asked about once."""
        value = _plain(value)
        key = (type(value), value if isinstance(value, (str, int, float)) else None)
        known = self._known.get(key)
        if known is not None and (value is None or key[1] is not None):
            return known
        outcome = self._known[key] = self._ask(value)
        return outcome

    def _ask(self, value: object) -> Outcome:
        try:
            if self._places is not None or self._feature.kind in COMPOUND:
                return self._read(value)
            return self._encoded(value)
        except UnacceptableValue as problem:
            return str(problem)

    def _read(self, value: object) -> float:
        """Return the place of a text, or the seconds of a date. Raise `UnacceptableValue`."""
        from models.terms import read, text_of  # noqa: PLC0415 - most columns are terms themselves

        if self._places is None:
            return cast("float", read(self._feature, value))
        text = text_of(self._feature, value)
        return math.nan if text is None else float(self._places.setdefault(text, len(self._places)))

    def _encoded(self, value: object) -> Outcome:
        """Return the number for a value. Raise `UnacceptableValue`."""
        if self._encoding.typed:
            return self._feature.encode_typed(value)
        if isinstance(value, str) and self._numeric:
            plain = self._encoding.style.plain(value)
            if plain is None:
                return UNCERTAIN
            value = plain
        encoded = self._feature.encode(value)
        if self._numeric and self._encoding.dtype == "float64" and isinstance(value, (int, float, str)):
            return encoded if np.isnan(encoded) or self._feature.is_blank(value) else float(value)
        return encoded

    def _finished(self, numbers: np.ndarray, reasons: dict[int, str]) -> EncodedColumn:
        # Adding zero turns -0.0 into 0.0: equal data, equal bytes.
        rounded = self._rounded(numbers) + np.dtype(self._encoding.dtype).type(0)
        with np.errstate(invalid="ignore"):
            changed = (np.abs(numbers) > EXACT) & (numbers == np.trunc(numbers)) & (rounded != numbers)
        return EncodedColumn(numbers=rounded, reasons=reasons, rounded=np.flatnonzero(changed), before=numbers[changed])


def plain_values(array: Array) -> list[Any]:
    """Return the values as Python has them; dates and times as text, as Python cannot hold all of them."""
    return list((written(array) if is_moment(array) else array).to_pylist())


def is_moment(array: Array) -> bool:
    """Return whether an array holds dates, or dates with times."""
    from arro3.core import DataType  # noqa: PLC0415

    return DataType.is_date(array.type) or DataType.is_timestamp(array.type)


def written(array: Array) -> Array:
    """Return dates and times as text in ISO 8601; one that no calendar has is `NO_DAY`."""
    from arro3.core import Array, DataType  # noqa: PLC0415

    try:
        return array.cast(DataType.string())
    except Exception:  # arro3 raises no narrower exception
        if len(array) == 1:
            return Array([NO_DAY], DataType.string())
    parts = (written(array.slice(at, 1)).to_pylist()[0] for at in range(len(array)))
    return Array(list(parts), DataType.string())


def _holds_numbers(array: Array) -> bool:
    from arro3.core import DataType  # noqa: PLC0415

    kind = array.type
    return DataType.is_integer(kind) or DataType.is_floating(kind) or DataType.is_decimal(kind)


def _python_values(array: Array) -> list[Any]:
    """Return the values as JSON would have them; a value of another kind is told apart by its type's name."""
    from arro3.core import DataType  # noqa: PLC0415

    if DataType.is_boolean(array.type) or _holds_numbers(array):
        return list(array.to_pylist())
    # Python cannot hold every date that a file can: what is no value anyway is not made one.
    return [_Other() if known else None for known in arrow_memory.present(array).tolist()]


class _Other:
    """A date, a list or another value that no feature takes."""


def _as_numbers(values: list[Any]) -> np.ndarray:
    """Return values as float64 [rows], NaN for those that are no numbers."""
    numbers = values if set(map(type, values)) <= {int, float} else _only_numbers(values)
    try:
        return np.array(numbers, dtype=np.float64)
    except OverflowError:  # a whole number of hundreds of digits
        return np.array(_only_numbers(values, below=2**1023), dtype=np.float64)


def _only_numbers(values: list[Any], below: float = math.inf) -> list[float]:
    plain = map(_plain, values)
    return [value if type(value) in (int, float) and abs(value) < below else math.nan for value in plain]


def _plain(value: Any) -> Any:
    """Return the value as JSON would have it. Many writers of Parquet files write NaN for a missing value."""
    if isinstance(value, Decimal):
        value = float(value)
    return None if isinstance(value, float) and math.isnan(value) else value
