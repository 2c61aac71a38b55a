"""Describe the distribution of a dataset, for later data to be compared with: the data profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.contract import Target
    from models.feature import Feature

BINS = 10
_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


def profile_of(
    x: np.ndarray, y: np.ndarray, groups: np.ndarray, terms: Sequence[Feature], target: Target
) -> dict[str, Any]:
    """Return counts of rows and duplicates, and each term's and the target's distribution, as JSON values."""
    truths = y if target.classes else np.unique(y, return_inverse=True)[1]
    different, pairs = _distinct(groups), _distinct(groups * (int(truths.max(initial=0)) + 1) + truths)
    return {
        "rows": len(x),
        **_target(target, y),
        "duplicate_rows": len(x) - pairs,
        "contradictory_rows": pairs - different,
        "features": {term.name: describe(term, x[:, i]) for i, term in enumerate(terms)},
    }


def _target(target: Target, y: np.ndarray) -> dict[str, Any]:
    """Return the rows of each class, or the distribution of the numbers."""
    if not target.classes:
        return {"target": describe(target.as_feature, y)}
    return {"classes": {name: int(np.count_nonzero(y == label)) for label, name in enumerate(target.classes)}}


def describe(feature: Feature, values: np.ndarray) -> dict[str, Any]:
    """Describe the values of one feature. `counts` has a number for each category, or for each bin between `edges`.

    A number that a tenth of the rows holds is told apart, in `atoms`, `[value, count]` each: as an edge of bins it
    would hide whether it still comes.
    """
    ordered = np.sort(values[~np.isnan(values)]).astype(np.float64)
    summary: dict[str, Any] = {
        "kind": feature.kind,
        "count": len(ordered),
        "missing": len(values) - len(ordered),
    }
    if feature.kind in ("category", "boolean"):
        names = feature.names or ("false", "true")
        counts = np.bincount(ordered.astype(np.int64), minlength=len(names))
        return {**summary, "categories": list(names), "counts": counts.tolist()}
    if not len(ordered):
        return summary
    atoms, rest = _told_apart(ordered)
    # Bins of equal counts show a shift of a skewed distribution; bins of equal width may not.
    bins = max(1, round(BINS * len(rest) / len(ordered)))
    edges = np.unique(_quantiles(rest, np.linspace(0, 1, bins + 1))) if len(rest) else rest
    return {
        **summary,
        "mean": float(ordered.mean()),
        "std": float(ordered.std()),
        "quantiles": dict(
            zip((f"{share:g}" for share in _QUANTILES), _quantiles(ordered, np.array(_QUANTILES)).tolist(), strict=True)
        ),
        **({"atoms": atoms} if atoms else {}),
        "edges": edges.tolist(),
        "counts": _counts(rest, edges),
    }


def _told_apart(ordered: np.ndarray) -> tuple[list[list[float]], np.ndarray]:
    """Return the numbers in rising order that hold a tenth of the rows or more, with their counts, and the others."""
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    counts = np.diff(np.append(starts, len(ordered)))
    many = (counts > 1) & (counts * BINS >= len(ordered))
    atoms = [[value, count] for value, count in zip(ordered[starts[many]].tolist(), counts[many].tolist(), strict=True)]
    return atoms, ordered[~np.repeat(many, counts)] if atoms else ordered


def _distinct(values: np.ndarray) -> int:
    """Return how many different whole numbers there are; numpy's own `unique` takes ten times as long."""
    return int(np.count_nonzero(np.diff(np.sort(values)))) + bool(len(values))


def _quantiles(ordered: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return quantiles of numbers in rising order, between two of them by their distance, as numpy does."""
    positions = shares * (len(ordered) - 1)
    below = np.floor(positions).astype(np.int64)
    above = np.minimum(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (positions - below)


def _counts(ordered: np.ndarray, edges: np.ndarray) -> list[int]:
    """Return how many numbers are between edges; one that is an edge belongs to the bin above, the last to the last."""
    if len(edges) < 2:
        return [len(ordered)] if len(ordered) else []
    starts = np.searchsorted(ordered, edges)
    starts[-1] = len(ordered)
    return np.diff(starts).tolist()
