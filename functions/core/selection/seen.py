"""Whether the champion was trained on rows of the holdout that it is compared on: then the comparison flatters it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from functions.core.dataset.dataset import Dataset, group_equal
from functions.core.storage.objects import Forbidden, Missing, TooLarge
from interface import layout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.storage.objects import Objects

    Record = Mapping[str, Any]

LARGEST = 200_000_000
"""Bytes of the champion's dataset, beyond which it is not read for this."""


def seen(data: Objects, model: str, card: Record, trained: Record | None, run: Record, holdout: np.ndarray) -> str:
    """Say how many rows of the holdout the champion was trained on, or that it may have been; "" where on none.

    `card` is the champion's, `trained` the record of its run, None where there is none, and `run` the record of this
    run. `holdout` float32 [rows, terms] are its rows as the champion encodes them.
    """
    if card.get("dataset") == run["dataset"]:
        return ""
    other = _other_split(((trained or {}).get("split") or {}).get("keys"), (run.get("split") or {}).get("keys"))
    why = f"was trained under another split ({other})" if other else "was trained on another dataset"
    known = _rows_of(data, f"{model}/{layout.DATASETS}{card.get('dataset')}/data.npz")
    if known is None or known.shape[1] != holdout.shape[1]:
        return f"the champion {why}, so it may have seen rows of this holdout"
    count = _among(holdout, known)
    if not count:
        return ""
    return f"the champion {why}, and has seen {count:,} of the {len(holdout):,} rows of this holdout, which flatters it"


def _rows_of(data: Objects, key: str) -> np.ndarray | None:
    """Return the rows that a version was trained on, float32 [rows, terms]; None where that cannot be told."""
    try:
        dataset = Dataset.from_bytes(data.get(key, at_most=LARGEST))
    except (Missing, Forbidden, TooLarge, BadZipFile, EOFError, ValueError, LookupError, OSError):
        return None
    return dataset.x[dataset.fitted]


def _among(rows: np.ndarray, known: np.ndarray) -> int:
    """Return how many rows equal one that is known."""
    numbers = group_equal(np.concatenate([rows, known]))
    return int(np.isin(numbers[: len(rows)], numbers[len(rows) :]).sum())


def _other_split(theirs: Record | None, ours: Record | None) -> str:
    """Return what differs between how rows were split and are; "" where nothing does, or an older release split them.

    As in `seed 7, now 8; group patient, now none`.
    """
    if theirs is None or ours is None:
        return ""
    differing = [
        key for key in (*theirs, *(key for key in ours if key not in theirs)) if theirs.get(key) != ours.get(key)
    ]
    return "; ".join(f"{key} {_or_none(theirs.get(key))}, now {_or_none(ours.get(key))}" for key in differing)


def _or_none(value: object) -> object:
    return "none" if value is None else value
