"""Encode a column by its feature, at the speed of numpy for plain numbers in bounds.

Every other value is passed to `Feature.encode`, one by one: what is accepted, and the
message for a refused value, are the same as at prediction.
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
    """Return the numbers, float32 [rows], and the reason by position for each refused value, whose number is NaN."""
    numbers = np.full(len(values), np.nan)
    doubtful = np.ones(len(values), dtype=bool)
    if feature.kind in ("number", "integer"):
        parsed = _as_numbers(values)
        if parsed is not None:
            numbers, doubtful = parsed, ~_in_bounds(feature, parsed)
    reasons: dict[int, str] = {}
    known: dict[str, float | str] = {}
    for position in np.flatnonzero(doubtful).tolist():
        encoded = _encode(feature, values[position], known)
        if isinstance(encoded, str):
            reasons[position] = encoded
            numbers[position] = np.nan
        else:
            numbers[position] = encoded
    # Adding zero turns -0.0 into 0.0: equal data, equal bytes.
    return numbers.astype(np.float32) + np.float32(0), reasons


def _as_numbers(values: Column) -> np.ndarray | None:
    """Return all values as float64, empty text as NaN; None when some are not numbers."""
    if isinstance(values, np.ndarray):
        return values.astype(np.float64)
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) != len(values):
        return None
    # Python reads these as numbers, but a feature refuses them: see `Feature`.
    joined = "".join(texts)
    if "_" in joined or not joined.isascii():
        return None
    try:
        return np.array([text or "nan" for text in texts], dtype=np.float64)
    except ValueError:
        return None


def _in_bounds(feature: Feature, numbers: np.ndarray) -> np.ndarray:
    accepted = np.abs(numbers) <= LARGEST  # false for NaN
    if feature.minimum is not None:
        accepted &= numbers >= feature.minimum
    if feature.maximum is not None:
        accepted &= numbers <= feature.maximum
    if feature.kind == "integer":
        accepted &= numbers == np.trunc(numbers)
    return accepted


def _encode(feature: Feature, value: object, known: dict[str, float | str]) -> float | str:
    """Return the number, or the reason for refusing the value. `known` caches the result for each text."""
    if isinstance(value, str) and value in known:
        return known[value]
    try:
        encoded: float | str = feature.encode(_plain(value))
    except UnacceptableValue as problem:
        encoded = str(problem)
    if isinstance(value, str):
        known[value] = encoded
    return encoded


def _plain(value: object) -> object:
    """Return the value as JSON would have it. Many writers of Parquet files write NaN for a missing value."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Decimal):
        value = float(value)
    return None if isinstance(value, float) and np.isnan(value) else value


def as_text(values: Column, position: int) -> str:
    """Return one value as the text of a CSV cell."""
    value = _plain(values[position])
    return "" if value is None else str(value)


def rows_without(reasons: Sequence[dict[int, str]], rows: int) -> np.ndarray:
    """Return which rows are refused by no column: bool [rows]."""
    accepted = np.ones(rows, dtype=bool)
    for refused in reasons:
        accepted[list(refused)] = False
    return accepted
