"""Which column is to be predicted, and its classes if it has some."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models.feature import Feature
from sml.init.guess import guess
from sml.init.number_target import NumberTarget, is_quantity, number_target
from sml.init.words import (
    is_doubtful_target,
    is_number,
    is_number_target,
    listed,
    of,
    poles,
    share_of_numbers,
    shortened,
    target_rank,
)
from sml.mistake import Mistake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sml.init.table import Column, Sheet

MOST_CLASSES = 100
MOST_NUMBERS = 20
"""Different numbers that may be classes; more are a quantity."""
MIXED = 0.5
"""The share of different values that are numbers, from which on the others are mistakes in a column of numbers."""
LIKELY_CLASSES = 20
"""Of a column that nobody named: as many different values may be classes."""
FEWEST_OF_A_CLASS = 6
"""Rows that a class needs: two folds and the holdout, each with two."""
MOST_SET_ASIDE = 0.05
"""The share of rows whose classes may be too rare to learn."""
_LISTED = 10
_WHOLE = re.compile(r"(-?\d+)\.0+")
"""As a column with gaps writes a whole number; `models.feature` reads it alike."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """The column to predict, of classes."""

    name: str
    classes: tuple[str, ...]
    counts: tuple[int, ...]
    """Rows of each class."""
    why: str
    """Why this column."""
    order: str
    """Why the classes are in this order."""
    rare: tuple[str, ...] = ()
    """Classes with too few rows, which are set aside."""
    others: tuple[str, ...] = ()
    """Columns that may be meant instead, where it is not certain."""
    spelled: tuple[str, ...] = ()
    """The classes as the table spells them, where training calls them otherwise."""

    @property
    def rows(self) -> int:
        return sum(self.counts)

    @property
    def majority(self) -> float:
        """The share of the most frequent class."""
        return max(self.counts) / self.rows

    @property
    def feature(self) -> Feature:
        """The target as training reads it."""
        return Feature(name=self.name, kind="category", categories=self.classes)

    @property
    def spread(self) -> str:
        """The rows of each class, in words."""
        pairs = zip(self.classes[:_LISTED], self.counts, strict=False)
        return ", ".join(f"{shortened(name, 20)} {count:,}" for name, count in pairs) + f"; {self.order}"

    def document(self) -> dict[str, Any]:
        """Return the target as JSON values."""
        classes = dict(zip(self.classes, self.counts, strict=True))
        named = {"name": self.name, "why": self.why, "order": self.order}
        return {**named, "classes": classes, "candidates": list(self.others)}

    def rows_of(self, column: Column) -> list[int]:
        """Return the positions of the rows that have a class."""
        known = set(self.spelled or self.classes)
        return [row for row, value in enumerate(column.values) if value is not None and whole(value) in known]


def find_target(sheet: Sheet, named: str | None) -> Target | NumberTarget:
    """Return the target of a table: the column that was named, or else the likeliest. Raise `Mistake`."""
    if named is not None:
        return _target(_named(sheet, named), why="named by --target", others=())
    likely = [column for column in sheet.columns if _is_likely(column)]
    ranks = {column.name: rank for column in sheet.columns if (rank := target_rank(column.name)) is not None}
    by_name = sorted(ranks, key=lambda name: ranks[name])
    best = [name for name in by_name if ranks[name] == ranks[by_name[0]]]
    quantities = [
        column for column in sheet.columns if is_number_target(column.name) and is_quantity(column, MOST_NUMBERS)
    ]
    last = sheet.columns[-1].name
    rivals = [column.name for column in quantities if last not in best and column.name not in best]
    if len(best) == 1 and not (rivals and is_doubtful_target(best[0])):
        chosen = sheet.column(best[0])
        others = tuple(name for name in by_name[1:] if any(column.name == name for column in likely))
        others += tuple(name for name in rivals if name not in others)
        return _target(chosen, why="its name is that of a target", others=others)
    if best:
        raise Mistake(
            f"{sheet.path}: {listed([*best, *rivals])} may each be what is to be predicted;"
            f" name it, as --target {last if last in rivals else best[0]}"
        )
    if len(quantities) == 1 and (not likely or quantities[0] is sheet.columns[-1]):
        return _target(quantities[0], why="its name is that of a number to predict", others=())
    if not likely:
        names = [column.name for column in sheet.columns]
        raise Mistake(
            f"{sheet.path}: no column looks like classes, 2 to {LIKELY_CLASSES} different values that repeat;"
            f" name the one to predict with --target; the columns are {listed(names, 12)}"
        )
    if likely[-1] is sheet.columns[-1]:
        others = tuple(column.name for column in likely[:-1])
        return _target(likely[-1], why="the last column, and it holds few different values", others=others)
    names = [column.name for column in likely]
    raise Mistake(
        f"{sheet.path}: the column to predict is not certain; name it, as --target {names[-1]};"
        f" these hold few different values: {listed(names, 12)}"
    )


def find_number(sheet: Sheet, named: str | None) -> NumberTarget:
    """Return the target of a table of series: numbers, however few different ones. Raise `Mistake`."""
    if named is not None:
        column, why, others = _named(sheet, named), "named by --target", ()
    else:
        column, why, others = _likeliest_number(sheet)
    if not column.counts or share_of_numbers(list(column.counts)) < MIXED:
        raise Mistake(f"{sheet.path}: {column.name} holds no numbers, which --task forecasting predicts; name another"
                      " column with --target")  # fmt: skip
    return number_target(column, why=why, others=others)


def _likeliest_number(sheet: Sheet) -> tuple[Column, str, tuple[str, ...]]:
    """Return the column of numbers that a forecast is likely of, why, and what else it may be. Raise `Mistake`."""
    numbers = [
        column
        for column in sheet.columns
        if (feature := guess(column).feature) is not None and feature.kind in ("number", "integer")
    ]
    names = [column.name for column in numbers]
    if not names:
        columns = [column.name for column in sheet.columns]
        raise Mistake(f"{sheet.path}: has no column of numbers, which --task forecasting predicts; the columns are"
                      f" {listed(columns, 12)}")  # fmt: skip
    ranks = {name: rank for name in names if (rank := target_rank(name)) is not None and not is_doubtful_target(name)}
    called = [name for name in names if is_number_target(name)]
    for some, why in (
        (sorted(ranks, key=lambda name: ranks[name])[:1], "its name is that of a target"),
        (called, "its name is that of a number to predict"),
        (names, "the only column of numbers"),
    ):
        if len(some) == 1:
            others = tuple(name for name in dict.fromkeys([*ranks, *called]) if name != some[0])
            return sheet.column(some[0]), why, others
    raise Mistake(
        f"{sheet.path}: the column to predict is not certain; name it, as --target {names[-1]};"
        f" these hold numbers: {listed(names, 12)}"
    )


def _named(sheet: Sheet, name: str) -> Column:
    names = [column.name for column in sheet.columns]
    if name in names:
        return sheet.column(name)
    near = difflib.get_close_matches(name.lower(), [other.lower() for other in names], n=1)
    meant = next((f"; did you mean {other}?" for other in names if [other.lower()] == near), "")
    raise Mistake(f"{sheet.path}: has no column {name!r}{meant or f'; the columns are {listed(names, 12)}'}")


def _is_likely(column: Column) -> bool:
    found = guess(column)
    return found.becomes in ("boolean", "category", "integer") and 2 <= len(column.counts) <= LIKELY_CLASSES


def _target(column: Column, *, why: str, others: tuple[str, ...]) -> Target | NumberTarget:
    if is_quantity(column, MOST_NUMBERS):
        return number_target(column, why=why, others=others)
    counts = Counter[str]()
    for value, count in column.counts.items():
        counts[whole(value)] += count
    _require_classes(column, counts)
    rare = _rare(column, counts)
    kept = {name: count for name, count in counts.items() if name not in rare}
    classes, order = _ordered(kept)
    return Target(
        name=column.name,
        classes=classes,
        counts=tuple(kept[name] for name in classes),
        why=why,
        order=order,
        rare=rare,
        others=others,
    )


def _require_classes(column: Column, counts: Counter[str]) -> None:
    name, different = column.name, len(counts)
    if not counts:
        raise Mistake(f"{name}: is empty in every row, and cannot be predicted; name another column with --target")
    if different == 1:
        [only] = counts
        raise Mistake(f"{name}: is {shortened(only)} in every row, so there is nothing to tell apart; name another"
                      " column with --target")  # fmt: skip
    numbers = share_of_numbers(list(counts)) > MIXED
    if numbers and different > MOST_NUMBERS:
        odd = next(value for value in counts if not is_number(value))
        raise Mistake(
            f"{name}: holds numbers and, among them, {shortened(odd)}; write numbers alone, an empty cell where there"
            " is none, or name another column with --target"
        )
    if different > MOST_CLASSES or different > counts.total() / 2:
        raise Mistake(
            f"{name}: has {different:,} different values in {counts.total():,} rows; at most {MOST_CLASSES} classes are"
            " learned, each of several rows; name another column with --target"
        )
    if any("\ud800" <= letter <= "\udfff" for value in counts for letter in value):
        raise Mistake(f"{name}: holds characters that are no text, and cannot be predicted")


def _rare(column: Column, counts: Counter[str]) -> tuple[str, ...]:
    """Return the classes of too few rows, where few rows are of them. Raise `Mistake` where they are many."""
    rare = tuple(sorted(name for name, count in counts.items() if count < FEWEST_OF_A_CLASS))
    rows = sum(counts[name] for name in rare)
    if rare and (rows > MOST_SET_ASIDE * counts.total() or len(counts) - len(rare) < 2):
        many = [f"{shortened(name)} ({counts[name]})" for name in rare]
        raise Mistake(
            f"{column.name}: too few rows of {listed(many)}; each class needs {FEWEST_OF_A_CLASS}, to learn from and to"
            " be tested on; add rows, or join classes"
        )
    return rare


def _ordered(counts: dict[str, int]) -> tuple[tuple[str, ...], str]:
    """Return classes in the order of the contract, whose last of two is the positive one, and the reason."""
    if len(counts) > 2:
        names = sorted(counts, key=lambda name: (not is_number(name), float(name) if is_number(name) else 0.0, name))
        return tuple(names), "in order"
    pair = poles(counts)
    if pair is not None:
        return pair, f"{pair[1]} is the positive class"
    usual, rare = sorted(counts, key=lambda name: (-counts[name], name))
    why = "and the rarer" if counts[rare] < counts[usual] else "as either could be"
    return (usual, rare), f"{rare} is the positive class: the last, {why}"


def whole(value: str) -> str:
    """Return a class as the contract writes it: 1 for 1.0."""
    found = _WHOLE.fullmatch(value)
    return found[1] if found else value


def set_aside(target: Target | NumberTarget, missing: int, rows: int, to_come: int = 0) -> Sequence[str]:
    """Return sentences about the rows that have nothing to learn, and are not to come."""
    told = []
    if isinstance(target, NumberTarget) and (odd := rows - to_come - missing - target.rows):
        told.append(f"{target.name} is no finite number in {of(odd, rows)}, which are set aside")
    if missing:
        told.append(f"{target.name} is missing in {of(missing, rows)}, which are set aside")
    if isinstance(target, Target) and target.rare:
        told.append(f"{listed(target.rare)}: fewer than {FEWEST_OF_A_CLASS} rows each, which are set aside")
    return told
