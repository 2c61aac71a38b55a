"""A whole column read by its feature, at the speed of numpy where nothing is amiss.

Every value that is not plainly good goes to `Feature.encode`, one by one: what is
accepted, and the words of a refusal, are the same as at prediction.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from models.feature import LARGEST, UnacceptableValue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.dataset.table import Column
    from models.feature import Feature


def encode_column(feature: Feature, values: Column) -> tuple[np.ndarray, dict[int, str]]:
    """The numbers as float32 [rows], and the reason for each position that is refused (there: NaN)."""
    numbers = np.full(len(values), np.nan)
    doubtful = np.ones(len(values), dtype=bool)
    if feature.kind in ("number", "integer"):
        found = _as_numbers(values)
        if found is not None:
            numbers, doubtful = found, ~_plainly_good(feature, found)
    reasons: dict[int, str] = {}
    known: dict[str, float | str] = {}
    for position in np.flatnonzero(doubtful).tolist():
        answer = _encode(feature, values[position], known)
        if isinstance(answer, str):
            reasons[position] = answer
            numbers[position] = np.nan
        else:
            numbers[position] = answer
    # Adding zero turns -0.0 into 0.0: equal data, equal bytes.
    return numbers.astype(np.float32) + np.float32(0), reasons


def _as_numbers(values: Column) -> np.ndarray | None:
    """All values as float64, blanks as NaN; None when some are not numbers."""
    if isinstance(values, np.ndarray):
        return values.astype(np.float64)
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) != len(values):
        return None
    # What Python would read and a feature refuses: see Feature.
    joined = "".join(texts)
    if "_" in joined or not joined.isascii():
        return None
    try:
        return np.array([text or "nan" for text in texts], dtype=np.float64)
    except ValueError:
        return None


def _plainly_good(feature: Feature, numbers: np.ndarray) -> np.ndarray:
    good = np.abs(numbers) <= LARGEST  # false for NaN
    if feature.minimum is not None:
        good &= numbers >= feature.minimum
    if feature.maximum is not None:
        good &= numbers <= feature.maximum
    if feature.kind == "integer":
        good &= numbers == np.trunc(numbers)
    return good


def _encode(feature: Feature, value: object, known: dict[str, float | str]) -> float | str:
    """The number, or the reason for refusing it."""
    if isinstance(value, str) and value in known:
        return known[value]
    try:
        answer: float | str = feature.encode(_plain(value))
    except UnacceptableValue as problem:
        answer = str(problem)
    if isinstance(value, str):
        known[value] = answer
    return answer


def _plain(value: object) -> object:
    """As JSON would give it. In a Parquet file NaN is how many writers spell that there is no value."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Decimal):
        value = float(value)
    return None if isinstance(value, float) and np.isnan(value) else value


def as_text(values: Column, position: int) -> str:
    """One value as a CSV cell shows it."""
    value = _plain(values[position])
    return "" if value is None else str(value)


def rows_without(reasons: Sequence[dict[int, str]], rows: int) -> np.ndarray:
    """Which of the rows are refused by no column: bool [rows]."""
    good = np.ones(rows, dtype=bool)
    for refused in reasons:
        good[list(refused)] = False
    return good
