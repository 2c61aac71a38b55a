"""What a model says of many rows: what its callers would get."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from models.feature import any_compound
from models.terms import lacking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.feature import Feature

TOLERANCE = 1e-4
"""Between the estimator's answers and those of its ONNX file, which computes in 32 bits."""
MADE_UP = 100
"""Rows that are asked once more without a value, for each feature whose values may be missing."""


class Answers(ABC):
    """An answer for each row: `ClassAnswers`, `NumberAnswers`."""

    @property
    @abstractmethod
    def rows(self) -> int:
        """How many rows they are about."""

    @abstractmethod
    def of(self, rows: np.ndarray | slice) -> Self:
        """Return the answers to some of the rows, by a mask bool [rows] or a slice."""

    @abstractmethod
    def followed_by(self, more: Self) -> Self:
        """Return these answers, and after them those to more rows."""

    @abstractmethod
    def to_bytes(self) -> bytes:
        """Return a .npz file. Equal answers give equal bytes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Differences:
    """How the answers of an ONNX file differ from its estimator's, row by row."""

    distance: np.ndarray
    """float64 [rows], in the unit of `TOLERANCE`: beyond it the answer is another one."""
    other: np.ndarray
    """bool [rows]: another label, although no rounding decides about it."""
    excused: int = 0
    """Rows that get another label where rounding decides."""


def with_gaps(x: np.ndarray, features: Sequence[Feature]) -> np.ndarray:
    """Return rows made up of those of `x`, float32 [rows, terms]: each lacks a value that a request may lack.

    A dataset may have too few such rows, or none, to show what becomes of them.
    """
    spread = x[np.linspace(0, len(x) - 1, min(MADE_UP, len(x))).astype(int)]
    parts, plain = [x[:0]], not any_compound(features)
    for position, feature in enumerate(features):
        if feature.missing == "keep":
            part = spread.copy()
            part[:, position if plain else lacking(feature, features)] = np.nan
            parts.append(part)
    return np.concatenate(parts)
