"""How many rows of one weight tell as much as rows of several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.readable import readable

if TYPE_CHECKING:
    import numpy as np


def effective(weight: np.ndarray) -> float:
    """Return the effective number of rows of these weights, float64 [rows]: (sum w)^2 / sum w^2.

    So many rows of one weight tell as much as they do, by Kish's rule.
    """
    most = weight.max(initial=0.0)
    shares = weight / (most or 1.0)  # squares of small numbers and of large ones would be 0 or infinite
    return float(shares.sum() ** 2 / (shares @ shares or 1.0))


def rows_in_words(weight: np.ndarray) -> str:
    """Return how many rows these are, and their effective number: `18 rows (effective number 12.3)`."""
    return f"{len(weight)} rows (effective number {readable(effective(weight))})"
