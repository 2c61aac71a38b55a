"""A table as the numbers that training would get, and what training would refuse of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from functions.core.dataset.table import UnreadableTable
from functions.core.dataset.wanted import Wanted
from models.terms import terms_of
from sml.init.table import blocks_of
from sml.mistake import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from functions.core.dataset.wanted import Reader
    from models.feature import Feature


@dataclass(frozen=True, kw_only=True, eq=False)
class Encoded:
    """Rows as numbers. Values that are refused or missing are NaN."""

    numbers: np.ndarray
    """float32 [rows, terms], without rows that are malformed or have no truth."""
    truth: np.ndarray
    """[rows]: int64, positions in the target's classes, or float64, its numbers."""
    refused: Mapping[str, int]
    """By column: how many values are refused, in rows that have a truth."""
    reasons: Mapping[str, str]
    """By column: the first of them, where it is and why."""
    rounded: frozenset[str]
    """Columns with whole numbers that 32 bits cannot hold."""
    rejected: int
    """Rows that training would set aside, whatever is wrong with them."""


def encode(path: Path, read: Reader, features: Sequence[Feature], target: Feature, most_rows: int) -> Encoded:
    """Read a table by features and a target. Raise `Mistake` where it cannot be read."""
    parts: list[np.ndarray] = [np.empty((0, len(terms_of(features)) + 1), dtype=np.float32)]
    counts, reasons, seen, rejected = Counter[str](), dict[str, str](), 0, 0
    rounded: set[str] = set()
    try:
        with blocks_of(path) as blocks, read(blocks, Wanted(features=(*features, target))) as rows:
            for some in rows:
                kept = np.ones(len(some.numbers), dtype=bool)
                for at, row in some.refused.items():
                    faults = dict(row.faults)
                    kept[at] = "" not in faults and target.name not in faults
                    if target.name in faults and target.name not in reasons:
                        reasons[target.name] = f"{rows.facts.unit} {row.location}: {faults[target.name]}"
                    for name, reason in faults.items() if kept[at] else ():
                        counts[name] += 1
                        reasons.setdefault(name, f"{rows.facts.unit} {row.location} {reason}")
                parts.append(some.numbers[kept])
                rounded.update(some.rounded)
                rejected += len(some.refused)
                seen += len(kept)
                if seen >= most_rows:
                    break
    except UnreadableTable as problem:
        raise Mistake(f"{path}: {problem}") from None
    whole = np.concatenate(parts)
    return Encoded(
        numbers=whole[:, :-1],
        truth=whole[:, -1].astype(np.int64 if target.kind == "category" else np.float64),
        refused=counts,
        reasons=reasons,
        rounded=frozenset(rounded),
        rejected=rejected,
    )
