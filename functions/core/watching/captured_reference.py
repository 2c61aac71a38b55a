"""The reference of a version whose training nobody knows: its first captured rows, frozen once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.dataset.profile import describe
from interface import layout
from models.feature import Feature

if TYPE_CHECKING:
    from functions.core.storage.objects import Objects
    from functions.core.watching.captured_rows import CapturedRows

Document = dict[str, Any]
ROWS = 2_000
"""Captured rows that become the reference: in the tenths of so many, chance alone moves the index by 0.01."""
MOST_CATEGORIES = 50
LEAST_SHARE = 0.01
"""Texts that come more rarely are no categories of their own."""


def place_of(model: str, version: str) -> str:
    """Return where the reference of a version is, in the models store."""
    return f"{model}/{layout.REFERENCES}{version}.json"


def freeze(models: Objects, model: str, version: str, rows: CapturedRows, days: tuple[str, str]) -> bool:
    """Make the first `ROWS` of captured rows, which are of these days, the reference of a version.

    Return whether they are: the one that was made first stays.
    """
    return models.create_json(place_of(model, version), described(version, rows.first(ROWS), days))


def described(version: str, rows: CapturedRows, days: tuple[str, str]) -> Document:
    """Return how rows are spread, as a data profile is."""
    first, last = days
    known = {name: values for name, values in rows.inputs.items() if name not in rows.redacted}
    return {
        "version": version,
        "rows": rows.rows,
        "requests": len(rows.lengths),
        "from": first,
        "to": last,
        "features": {name: _described(name, values) for name, values in known.items()},
        "outputs": {name: _described(name, values) for name, values in rows.outputs.items()},
    }


def _described(name: str, values: np.ndarray) -> Document:
    if values.dtype != object:
        return describe(Feature(name=name), values)
    texts = [value for value in values if value is not None]
    found, counts = np.unique(np.array(texts, dtype=str), return_counts=True) if texts else (np.empty(0), np.empty(0))
    common = [
        place
        for place in np.argsort(-counts, kind="stable")[:MOST_CATEGORIES]
        if counts[place] >= LEAST_SHARE * len(texts)
    ]
    names = tuple(sorted(str(found[place]) for place in common))
    feature = Feature(name=name, kind="category", categories=names, unseen="other")
    return describe(feature, positions(values, feature.names))


def positions(values: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Return texts as positions among names, of which the last one stands for all others; NaN for a missing one."""
    known = {name: at for at, name in enumerate(names)}
    return np.array(
        [np.nan if value is None else known.get(value, len(names) - 1) for value in values], dtype=np.float64
    )
