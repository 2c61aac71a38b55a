"""Describe the distribution of a dataset, for later data to be compared with: the data profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.feature import Feature

BINS = 10
_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


def profile_of(
    x: np.ndarray, y: np.ndarray, groups: np.ndarray, features: Sequence[Feature], classes: Sequence[str]
) -> dict[str, Any]:
    """Return counts of rows, classes and duplicates, and each feature's distribution, as JSON values."""
    pairs = np.unique(np.column_stack([groups, y]), axis=0)
    return {
        "rows": len(x),
        "classes": {name: int(np.count_nonzero(y == label)) for label, name in enumerate(classes)},
        "duplicate_rows": len(x) - len(pairs),
        "contradictory_rows": len(pairs) - len(np.unique(groups)),
        "features": {feature.name: describe(feature, x[:, i]) for i, feature in enumerate(features)},
    }


def describe(feature: Feature, values: np.ndarray) -> dict[str, Any]:
    """Describe the values of one feature. `counts` has a number for each category, or for each bin between `edges`."""
    present = values[~np.isnan(values)].astype(np.float64)
    summary: dict[str, Any] = {
        "kind": feature.kind,
        "count": len(present),
        "missing": len(values) - len(present),
    }
    if feature.kind in ("category", "boolean"):
        names = feature.categories or ("false", "true")
        counts = np.bincount(present.astype(np.int64), minlength=len(names))
        return {**summary, "categories": list(names), "counts": counts.tolist()}
    if not len(present):
        return summary
    # Bins of equal counts show a shift of a skewed distribution; bins of equal width may not.
    edges = np.unique(np.quantile(present, np.linspace(0, 1, BINS + 1)))
    counts = np.histogram(present, edges)[0] if len(edges) > 1 else np.array([len(present)])
    return {
        **summary,
        "mean": float(present.mean()),
        "std": float(present.std()),
        "quantiles": {f"{share:g}": float(np.quantile(present, share)) for share in _QUANTILES},
        "edges": edges.tolist(),
        "counts": counts.tolist(),
    }
