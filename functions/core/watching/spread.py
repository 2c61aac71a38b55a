"""How the values of one column are spread, over cells that are fixed when its model is trained."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

MISSING = "missing"


@dataclass(frozen=True, kw_only=True, eq=False)
class Spread:
    """The cells of a column, and how many rows of the training had a value in each."""

    cells: tuple[str, ...]
    """What people call them: categories, or numbers and the ranges between them; `missing` is the last."""
    counts: np.ndarray
    """int64 [cells]."""
    atoms: np.ndarray
    """float64: the numbers that have a cell of their own, the first cells. Empty for categories."""
    edges: np.ndarray
    """float64: the numbers at which one range ends and the next begins. The first and the last range are open."""
    is_category: bool

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Self:
        """Read the description of a column in a data profile."""
        missing = described["missing"]
        if "categories" in described:
            counts = [*described["counts"], missing]
            names = (*described["categories"], MISSING)
            empty = np.empty(0)
            return cls(cells=names, counts=_whole(counts), atoms=empty, edges=empty, is_category=True)
        atoms = described.get("atoms", [])
        # Open ends: what is beyond all that was learnt from belongs to the outermost range.
        edges = described.get("edges", [])[1:-1]
        ranges = described.get("counts", []) or [0]
        return cls(
            cells=(*(f"{value:.6g}" for value, _ in atoms), *_ranges(edges, bool(atoms)), MISSING),
            counts=_whole([*(count for _, count in atoms), *ranges, missing]),
            atoms=np.array([value for value, _ in atoms], dtype=np.float64),
            edges=np.array(edges, dtype=np.float64),
            is_category=False,
        )

    def count(self, values: np.ndarray) -> np.ndarray:
        """Return how many of the values, float64 with NaN where one is missing, lie in each cell: int64 [cells]."""
        there = values[~np.isnan(values)]
        if self.is_category:
            known = len(self.cells) - 1
            found = np.bincount(np.clip(there, 0, known - 1).astype(np.int64), minlength=known)
            return np.append(found, len(values) - len(there))
        apart = np.array([np.count_nonzero(there == value) for value in self.atoms], dtype=np.int64)
        rest = there[~np.isin(there, self.atoms)]
        ranges = np.bincount(np.searchsorted(self.edges, rest, side="right"), minlength=len(self.edges) + 1)
        return np.concatenate([apart, ranges, [len(values) - len(there)]])


def _whole(counts: list[int]) -> np.ndarray:
    return np.array(counts, dtype=np.int64)


def _ranges(edges: list[float], some_apart: bool) -> list[str]:
    """Return what the ranges between edges are called."""
    if not edges:
        return ["any other number" if some_apart else "any number"]
    inner = [f"{low:.6g} to {high:.6g}" for low, high in pairwise(edges)]
    return [f"below {edges[0]:.6g}", *inner, f"{edges[-1]:.6g} and more"]
