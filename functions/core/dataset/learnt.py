"""Categories that are learnt from a dataset: the values of its accepted rows, in the order of the alphabet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.dataset.terms import too_many
from models.feature import OTHER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from models.contract import Contract

MOST_CATEGORIES = 1_000


class Unlearnable(ValueError):
    """A column's values cannot be its categories. The text names the column and says why."""


class Learnt:
    """What the rows of a table show of the features that are to learn their categories."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._found: dict[str, list[str]] = {name: [] for name in contract.learns}
        self.categories: dict[str, tuple[str, ...]] = {}

    def add(self, found: Mapping[str, Sequence[str]]) -> None:
        """Note the categories that some rows are the first to have."""
        for name, texts in found.items():
            self._found[name] += texts

    def settle(self, x: np.ndarray) -> list[dict[str, Any]]:
        """Write the categories' positions into the accepted rows `x`, float32 [rows, terms], and tell of each column.

        Raise `Unlearnable`.
        """
        at = {term.name: position for position, term in enumerate(self._contract.terms)}
        features = {feature.name: feature for feature in self._contract.features}
        told = []
        for name, found in self._found.items():
            column = x[:, at[name]]
            there = ~np.isnan(column)
            places = column[there].astype(np.int64)
            counts = np.bincount(places, minlength=len(found))
            least = features[name].rare_below or 1
            often = [text for text, count in zip(found, counts, strict=True) if count >= least]
            # A value that is called as any other value is one.
            kept = tuple(sorted(text for text in often if text != OTHER or features[name].unseen == "reject"))
            if len(kept) > MOST_CATEGORIES:
                raise Unlearnable(f"{name} has {too_many(MOST_CATEGORIES)}")
            if not kept:
                seen = f"none that is in {least} rows or more" if found else "none in any row"
                raise Unlearnable(f"{name} is to learn its categories from this file, and there is {seen}")
            position = {text: place for place, text in enumerate(kept)}
            table = np.array([position.get(text, len(kept)) for text in found], dtype=np.float32)
            column[there] = table[places]
            self.categories[name] = kept
            rare = counts[[place for place, text in enumerate(found) if text not in position]]
            values = int(np.count_nonzero(rare))  # one that only rejected rows have is none
            told.append({"column": name, "categories": len(kept), "rare": values, "rare_rows": int(rare.sum())})
        return told
