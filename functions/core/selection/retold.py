"""Rows told to a version that has learnt other categories than those that the rows are encoded by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.terms import terms_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.feature import Feature


class Untold(ValueError):
    """A version would refuse some of the rows. The text says which value of which column it does not know."""


def retold(x: np.ndarray, ours: Sequence[Feature], theirs: Sequence[Feature]) -> np.ndarray:
    """Return rows `x`, float32 [rows, terms] by our features, as theirs encode them.

    The features mean the same, but for categories that are learnt: each is told by its name. One that is rare
    to us is other to them, too, though they may know it. Raise `Untold`.
    """
    at = {term.name: position for position, term in enumerate(terms_of(ours))}
    told = x
    for our, their in zip(ours, theirs, strict=True):
        if our.categories == their.categories:
            continue
        places = {name: float(place) for place, name in enumerate(their.names)}
        instead = float(len(their.categories)) if their.unseen == "other" else np.nan
        table = np.array([places.get(name, instead) for name in our.names], dtype=np.float32)
        column = x[:, at[our.name]]
        there = ~np.isnan(column)
        if told is x:
            told = x.copy()
        told[there, at[our.name]] = table[column[there].astype(np.int64)]
        refused = there & np.isnan(told[:, at[our.name]])
        if refused.any():
            value = our.names[int(column[refused][0])]
            raise Untold(
                f"the champion refuses {np.count_nonzero(refused)} rows: it does not know {our.name} = {value}"
            )
    return told
