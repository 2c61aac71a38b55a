"""`python -m bench.healthy_year [--years N] [--write]`: how often a healthy model is called drifted.

Years of days are simulated whose rows are those of the training, and checked by the check's own code: its cells, its
index, its bound, its second window. Every figure of the table in docs/watching.md is of this command.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench.environments import ROOT
from bench.judge import written
from functions.core.dataset.profile import describe
from functions.core.watching.counted import Counted
from functions.core.watching.drift import compare
from functions.core.watching.reference import Reference
from functions.core.watching.spread import Spread
from models.feature import Feature

PAGE = ROOT / "docs" / "watching.md"
DAYS, COLUMNS = 365, 30


@dataclass(frozen=True, kw_only=True)
class Case:
    """A healthy model: how many rows it learnt from, and who asks it on a day."""

    trained: int
    requests: int
    callers: int | None = None
    """Who asks about rows that are like each other, each as often as another; None: every row is another's."""
    likeness: float = 0.0
    """Of the rows of one caller: the share of the variance that lies between callers."""

    @property
    def name(self) -> str:
        """What the table calls it."""
        rows = f"{self.trained:,} rows of training, {self.requests:,} requests a day"
        return rows if self.callers is None else f"{rows} of {self.callers} callers, likeness {self.likeness}"


CASES = (
    Case(trained=569, requests=500),
    Case(trained=569, requests=5_000),
    Case(trained=10_000, requests=500),
    Case(trained=10_000, requests=5_000),
    Case(trained=10_000, requests=5_000, callers=100, likeness=0.2),
    Case(trained=10_000, requests=5_000, callers=20, likeness=0.2),
    Case(trained=10_000, requests=5_000, callers=5, likeness=0.2),
)


@dataclass(frozen=True, kw_only=True)
class Year:
    """What became of the checks of some years."""

    drifted: float
    """The share of the days on which any column had drifted."""
    told: float
    """How often a year somebody was told: a column drifted in two windows in a row."""
    any_told: float
    """The share of the years in which anybody was."""


def simulate(case: Case, *, years: int, columns: int = COLUMNS, seed: int = 7) -> Year:
    """Return what became of so many years of checks of a healthy model with so many columns, all numbers."""
    chance = np.random.default_rng(seed)
    drifted, told = np.zeros((years, DAYS), dtype=bool), np.zeros((years, DAYS), dtype=bool)
    for year in range(years):
        learnt = chance.normal(size=(case.trained, columns)).astype(np.float32)
        described = [describe(Feature(name=f"c{at}"), learnt[:, at]) for at in range(columns)]
        reference = Reference(columns={f"c{at}": Spread.of(one) for at, one in enumerate(described)}, answers=None)
        before: frozenset[str] = frozenset()
        for day in range(DAYS):
            rows = _day(case, columns, chance)
            cells = {name: spread.count(rows[:, at]) for at, (name, spread) in enumerate(reference.columns.items())}
            counted = Counted(requests=case.requests, callers={"": case.requests}, cells=cells)
            found = frozenset(one.name for one in compare(reference, counted) if one.state == "drifted")
            drifted[year, day], told[year, day] = bool(found), bool(found & before)
            before = found
    return Year(drifted=float(drifted.mean()), told=float(told.sum() / years), any_told=float(told.any(axis=1).mean()))


def _day(case: Case, columns: int, chance: np.random.Generator) -> np.ndarray:
    """Return the rows of a day, float64 [requests, columns]."""
    rows = chance.normal(size=(case.requests, columns))
    if case.callers is None:
        return rows
    of_callers = chance.normal(size=(case.callers, columns))[chance.integers(case.callers, size=case.requests)]
    return np.sqrt(1 - case.likeness) * rows + np.sqrt(case.likeness) * of_callers


def table(years: int) -> Iterator[str]:
    """Yield the lines of the table."""
    yield f"| a healthy model of {COLUMNS} columns | days with a drifted column | told in a year |"
    yield "| --- | --- | --- |"
    for case in CASES:
        found = simulate(case, years=years)
        yield f"| {case.name} | {found.drifted:.2%} | {found.told:.2f} times, in {found.any_told:.0%} of the years |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; with `--write` put it into docs/watching.md."""
    parser = argparse.ArgumentParser(prog="python -m bench.healthy_year", description=__doc__)
    parser.add_argument("--years", type=int, default=20, help="of each case (default: 20)")
    parser.add_argument("--write", action="store_true", help="write the table into docs/watching.md")
    options = parser.parse_args(arguments)
    lines = list(table(options.years))
    print("\n".join(lines))
    if options.write:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(written(page, "healthy", lines, of="bench.healthy_year"), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
