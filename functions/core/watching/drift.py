"""Drift: whether the rows that come, and the answers to them, are spread as those were that a version learnt from.

How far apart two spreads are decides; that chance alone would not put them so far only guards against few rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from functions.core.watching.divergence import by_chance, most_by_chance, psi
from functions.core.watching.spread import MISSING
from models.feature import OTHER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.watching.counted import Counted
    from functions.core.watching.reference import Reference
    from functions.core.watching.spread import Spread

State = Literal["few", "steady", "shifted", "drifted"]
FEW = 500
"""Rows below which nothing is said."""
SHIFTED = 0.1
DRIFTED = 0.2
"""The index from which a column has shifted, or drifted. 0.1 and 0.25 are the usual rules of thumb."""
LEVEL = 0.01
"""The probability with which chance alone makes any column of a healthy model exceed its bound."""
LEAST_SHARE = 0.01
TIMES = 5.0
"""A share of values that are missing, or unseen in training, is drift beyond both: 1 %, and five times the share that
there was."""
BUSIEST = 0.9
"""The share of the rows from one caller that is worth a word."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One column, or the answers, compared with the training."""

    name: str
    state: State
    index: float
    """The population stability index."""
    chance: float
    """What chance alone exceeds once in `LEVEL`, shared between all columns."""
    cells: Sequence[str]
    before: Sequence[float]
    after: Sequence[float]
    """Shares of the rows, [cells]."""
    said: str
    """What moved most, in words."""

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        shares = {key: [round(share, 6) for share in getattr(self, key)] for key in ("before", "after")}
        index = {"index": round(self.index, 6), "chance": round(self.chance, 6)}
        return {"name": self.name, "state": self.state, **index, "cells": list(self.cells), **shares, "said": self.said}


def compare(reference: Reference, counted: Counted) -> list[Compared]:
    """Compare all columns but the redacted ones, and the answers, the most drifted first.

    Rows of one request are not independent of each other: chance is reckoned by requests.
    """
    spreads = reference.spreads
    level = LEVEL / max(1, len(spreads))
    hidden = counted.redacted
    known = {name for name in counted.cells if name not in hidden and name.partition("[")[0] not in hidden}
    found = [_compared(name, spread, counted, level, reference) for name, spread in spreads.items() if name in known]
    return sorted(found, key=lambda one: (-_ORDER.index(one.state), -one.index))


_ORDER = ("few", "steady", "shifted", "drifted")


def worst(compared: Sequence[Compared]) -> State:
    """Return the state of a whole version; `few` where nothing was compared."""
    return max((one.state for one in compared), key=_ORDER.index, default="few")


def _compared(name: str, spread: Spread, counted: Counted, level: float, reference: Reference) -> Compared:
    before, after = spread.counts, counted.cells[name]
    rows, learnt = int(after.sum()), reference.learnt(before)
    index = psi(before, after) if rows and learnt else 0.0
    chance = by_chance(learnt, counted.requests, len(spread.cells), level) if counted.requests and learnt else 0.0
    shares = [(counts / max(1, counts.sum())).tolist() for counts in (before, after)]
    moved = _moved(spread.cells, *shares, called=reference.called)
    state: State = "steady"
    if rows < FEW:
        state = "few"
    elif absent := _absent(spread, *shares, counted.requests, level, reference.called):
        state, moved = "drifted", absent
    elif index > chance:
        state = "drifted" if index >= DRIFTED else "shifted" if index >= SHIFTED else "steady"
    return Compared(
        name=name,
        state=state,
        index=index,
        chance=chance,
        cells=spread.cells,
        before=shares[0],
        after=shares[1],
        said=moved,
    )


def _absent(
    spread: Spread, before: Sequence[float], after: Sequence[float], requests: int, level: float, called: str
) -> str:
    """Return of what there is too much that the training hardly knew, in words: missing values, unseen categories."""
    for cell in (MISSING, OTHER):
        if cell not in spread.cells:
            continue
        at = spread.cells.index(cell)
        bound = max(LEAST_SHARE, TIMES * before[at], most_by_chance(before[at], requests, level))
        if after[at] > bound:
            return _said(cell, before[at], after[at], called)
    return ""


def _moved(cells: Sequence[str], before: Sequence[float], after: Sequence[float], called: str) -> str:
    """Return the cell whose share moved most, in words."""
    at = int(np.argmax(np.abs(np.subtract(after, before))))
    return _said(cells[at], before[at], after[at], called)


def _said(cell: str, before: float, after: float, called: str) -> str:
    return f"{cell}: {after:.1%} of the rows, {before:.1%} in {called}"


def words(state: State, compared: Sequence[Compared], counted: Counted, called: str) -> str:
    """Return what a check found, in a sentence; `called` is what rows are compared with."""
    if not counted.rows:
        return "no row was captured"
    number = f"{counted.rows:,} rows of {counted.requests:,} requests"
    if state == "few":
        return f"{number}: too few to tell; {FEW} rows are the least"
    named = [f"{one.name} [{one.said}]" for one in compared if one.state == state]
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    told = f"{number}: {state}: {', '.join(named[:3])}{more}"
    if state == "steady":
        told = f"{number}: as in {called}{_undecided(compared, counted.requests)}"
    return told + _one_caller(counted.callers, counted.rows)


def _undecided(compared: Sequence[Compared], requests: int) -> str:
    """Return a word where columns are as far apart as shifted ones, and too few requests came to tell why."""
    apart = [one.name for one in compared if one.state == "steady" and one.index >= SHIFTED]
    if not apart:
        return ""
    more = f" and {len(apart) - 3} more" if len(apart) > 3 else ""
    return f"; {requests:,} requests are too few to tell whether more than chance moved {', '.join(apart[:3])}{more}"


def _one_caller(callers: Mapping[str, int], rows: int) -> str:
    """Return a word where nearly all rows come from one of several callers."""
    share = max((number for caller, number in callers.items() if caller), default=0) / rows
    return f"; {share:.0%} of them came from one caller" if share >= BUSIEST else ""
