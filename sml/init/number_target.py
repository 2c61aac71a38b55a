"""A column of numbers that is to be predicted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.dataset.number_style import style_of
from models.feature import Feature
from sml.init.words import is_amount, is_number, share_of_numbers
from sml.mistake import Mistake

if TYPE_CHECKING:
    from sml.init.table import Column

MOSTLY = 0.95
"""The share of different values that are numbers, from which on the others are mistakes."""


@dataclass(frozen=True, kw_only=True)
class NumberTarget:
    """The column to predict, of numbers."""

    name: str
    least: float
    median: float
    greatest: float
    rows: int
    """Those that have a number."""
    usual_distance: float
    """The mean distance to the median: what a model errs that always says the median."""
    distance_spread: float
    """The standard deviation of these distances."""
    why: str
    """Why this column."""
    others: tuple[str, ...] = ()
    """Columns that may be meant instead, where it is not certain."""

    @property
    def feature(self) -> Feature:
        """The target as training reads it."""
        return Feature(name=self.name, minimum=0.0 if self.never_negative else None)

    @property
    def never_negative(self) -> bool:
        """Whether a number below zero would be a mistake."""
        return self.least >= 0 and is_amount(self.name)

    @property
    def spread(self) -> str:
        """The numbers in words."""
        return f"numbers from {self.least:.6g} to {self.greatest:.6g}, half of them up to {self.median:.6g}"

    def rows_of(self, column: Column) -> list[int]:
        """Return the positions of the rows that have a number."""
        return [row for row, number in enumerate(_numbers(column)) if number is not None]

    def document(self) -> dict[str, Any]:
        """Return the target as JSON values."""
        numbers = {"least": self.least, "median": self.median, "greatest": self.greatest}
        return {"name": self.name, "why": self.why, "numbers": numbers, "candidates": list(self.others)}


def number_target(column: Column, *, why: str, others: tuple[str, ...]) -> NumberTarget:
    """Return the target of a column of numbers. Raise `Mistake` where they are all the same."""
    values = np.array([number for number in _numbers(column) if number is not None])
    median = float(np.median(values))
    distances = np.abs(values - median)
    if not distances.any():
        raise Mistake(f"{column.name}: is {median:.6g} in every row, so there is nothing to predict; name another"
                      " column with --target")  # fmt: skip
    return NumberTarget(
        name=column.name,
        least=float(values.min()),
        median=median,
        greatest=float(values.max()),
        rows=len(values),
        usual_distance=float(distances.mean()),
        distance_spread=float(distances.std()),
        why=why,
        others=others,
    )


def _numbers(column: Column) -> list[float | None]:
    """Return the number of each row, in the style in which most of them are written; None where there is none."""
    style = style_of([text for text in column.counts if not is_number(text)])
    plain = {text: style.plain(text) for text in column.counts}
    known = {text: float(number) for text, number in plain.items() if number is not None and is_number(number)}
    return [None if value is None else known.get(value) for value in column.values]


def is_quantity(column: Column, most_classes: int) -> bool:
    """Return whether a column holds numbers that are no classes: many different ones, or some that are not whole."""
    different = list(column.counts)
    if len(different) < 2 or share_of_numbers(different) < MOSTLY:
        return False
    return len(different) > most_classes or any(number % 1 for number in _numbers(column) if number is not None)
