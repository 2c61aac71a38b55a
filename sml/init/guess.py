"""What each column becomes in a contract, judged by its name and its values, with the reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from models.feature import Feature
from sml.init.kinds import date_feature, free_text
from sml.init.words import has_leading_zero, is_code, is_date, is_id, is_number, of, share_of_numbers, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from sml.init.table import Column

Role = Literal["feature", "target", "id", "ignore", "passed over"]
MOST_CATEGORIES = 50
FEW = 20
"""Different texts that are always taken for categories, if they repeat."""
MOST_CATEGORIES_LEARNT = 1_000
LONGEST_CATEGORY = 60
RARE_ROWS = 5
"""Rows of a category below which nothing can be learnt of it."""
ROWS_THAT_TELL_RARE = 200
WORDS = 64
"""Counts of words that a text becomes."""
MOSTLY = 0.95
"""The share of different values from which on a column is of a kind, and the others are mistakes in it."""
_BOOLEANS = {"true": 1, "1": 1, "1.0": 1, "yes": 1, "false": 0, "0": 0, "0.0": 0, "no": 0}


@dataclass(frozen=True, kw_only=True)
class Guess:
    """What a column becomes, and why."""

    name: str
    role: Role
    why: str
    feature: Feature | None = None
    """For a feature: how it is declared."""
    warning: str = ""
    """What its owner should look at."""

    @property
    def becomes(self) -> str:
        """The role or the kind in a word."""
        return self.role if self.feature is None else self.feature.kind


def guess(column: Column) -> Guess:
    """Judge a column that is not the target."""
    for judge in (_unusable, _empty, _dates, _boolean, _numbers, _texts):
        found = judge(column)
        if found is not None:
            return found
    raise AssertionError(column.name)


def demoted(guess_before: Guess, column: Column, refused: int, reason: str) -> Guess:
    """Return the next guess for a feature of whose values training would refuse too many."""
    feature = guess_before.feature
    if feature is not None and feature.kind != "category" and len(column.counts) <= FEW:
        return _category(column, f"{len(column.counts)} different values, of which not all are {feature.kind}s")
    told = f"{of(refused, len(column.values))} {reason}; an empty cell says that a value is missing"
    return _aside(column, "ignore", told, warning=f"is ignored: {told}")


def _unusable(column: Column) -> Guess | None:
    name = column.name
    if name != name.strip() or not name.isprintable():
        return _aside(column, "passed over", "its name is not printable, or has space around it: rename it to use it")
    return None


def _empty(column: Column) -> Guess | None:
    if not column.counts:
        return _aside(column, "ignore", "is empty in every row")
    if len(column.counts) > 1:
        return None
    [value] = column.counts
    if not column.missing:
        return _aside(column, "ignore", f"is {shortened(value)} in every row")
    return _category(column, "one value or none: whether it is there may tell something")


def _dates(column: Column) -> Guess | None:
    if _share(column, is_date) < MOSTLY:
        return None
    written = date_feature(column.name, column.counts, _missing(column))
    if written is not None:
        return _feature(column, *written)
    return _aside(
        column,
        "ignore",
        "dates or times, in several ways of writing or one that is not sure: format declares it",
    )


def _boolean(column: Column) -> Guess | None:
    meant = {_BOOLEANS.get(value.lower()) for value in column.counts}
    if meant != {0, 1}:
        return None
    feature = Feature(name=column.name, kind="boolean", missing=_missing(column))
    return _feature(column, feature, f"{' or '.join(sorted(column.counts)[:4])}")


def _numbers(column: Column) -> Guess | None:
    values = list(column.counts)
    if share_of_numbers(values) < MOSTLY:
        return None
    codes = sum(map(has_leading_zero, values))
    if codes > len(values) / 10 or is_code(column.name):
        return _codes(column, "codes, whose leading zeros count" if codes else "its name says that it holds codes")
    if is_id(column.name):
        if len(values) <= FEW and not _is_unique(column):
            return _codes(column, f"its name says that it tells things apart, and {len(values)} are few")
        return _id(column, "its name says so")
    if _is_unique(column) and _counts_rows(values):
        return _id(column, "it counts the rows")
    # A word among whole numbers is a mistake, and no reason to take fractions.
    whole = all(value.lstrip("+-").isdigit() for value in values if any(map(str.isdigit, value)))
    feature = Feature(name=column.name, kind="integer" if whole else "number", missing=_missing(column))
    return _feature(column, feature, "")  # its range is known when it has been read as numbers


def _codes(column: Column, why: str) -> Guess:
    if _may_be_categories(column):
        return _category(column, why)
    different = f"{len(column.counts):,} different {why}"
    return _aside(column, "ignore", f"{different}: too many for categories")


def _texts(column: Column) -> Guess | None:
    different = len(column.counts)
    if is_id(column.name) and (different > FEW or _is_unique(column)):
        return _id(column, "its name says so")
    if _is_unique(column) and different >= FEW and _share(column, _looks_like_a_key) > MOSTLY:
        return _id(column, "every row has another key")
    if _may_be_categories(column):
        return _category(column, f"{different} different texts")
    if _repeats(column) and different <= MOST_CATEGORIES_LEARNT:
        feature = Feature(
            name=column.name,
            kind="category",
            learn=True,
            unseen="other",
            rare_below=RARE_ROWS,
            missing=_missing(column),
        )
        return _feature(column, feature, f"{different} different texts: learnt anew from each table")
    if (told := free_text(column.counts)) is not None:
        return _feature(column, Feature(name=column.name, kind="text", words=WORDS, missing=_missing(column)), told)
    words = sum(len(value.split()) for value in column.counts) / different
    what = "free text or names" if words > 2 else "texts"
    return _aside(
        column, "ignore", f"{what}, {different:,} different in {column.present:,} rows: too many for categories"
    )


def _may_be_categories(column: Column) -> bool:
    return len(column.counts) <= MOST_CATEGORIES and _repeats(column)


def _repeats(column: Column) -> bool:
    """Return whether the values of a column are short, and each is in several rows, as far as they are many."""
    different = len(column.counts)
    repeats = different <= column.present / 2 if different <= FEW else different <= column.present / 10
    return repeats and all(len(value) <= LONGEST_CATEGORY and _is_text(value) for value in column.counts)


def _category(column: Column, why: str) -> Guess:
    rare = [value for value, count in column.counts.items() if count < RARE_ROWS]
    frequent = sorted(column.counts.keys() - set(rare), key=_in_order)
    if not rare or len(frequent) < 2 or column.present < ROWS_THAT_TELL_RARE:
        categories = tuple(sorted(column.counts, key=_in_order))
        feature = Feature(name=column.name, kind="category", categories=categories, missing=_missing(column))
        return _feature(column, feature, why)
    feature = Feature(
        name=column.name, kind="category", categories=tuple(frequent), unseen="other", missing=_missing(column)
    )
    told = f"{len(rare)} of them in fewer than {RARE_ROWS} rows: those are other, as is one that comes later"
    return _feature(column, feature, f"{why}, {told}")


def _feature(column: Column, feature: Feature, why: str) -> Guess:
    gaps = f"missing in {of(column.missing, len(column.values))}: kept, training.py fills it" if column.missing else ""
    return Guess(name=column.name, role="feature", feature=feature, why="; ".join(filter(None, (why, gaps))))


def _id(column: Column, why: str) -> Guess:
    return _aside(column, "id", f"tells rows apart: {why}, {len(column.counts):,} different")


def _aside(column: Column, role: Role, why: str, warning: str = "") -> Guess:
    return Guess(name=column.name, role=role, why=why, warning=warning)


def described(found: Guess, why: str) -> Guess:
    """Return a guess with more of a reason in front."""
    return replace(found, why="; ".join(filter(None, (why, found.why))))


def _missing(column: Column) -> Literal["keep", "reject"]:
    return "keep" if column.missing else "reject"


def _is_unique(column: Column) -> bool:
    return len(column.counts) == column.present == len(column.values)


def _counts_rows(values: Collection[str]) -> bool:
    """Return whether whole numbers are those from one to another, each once."""
    if len(values) < FEW or not all(value.isdigit() for value in values):
        return False
    numbers = [int(value) for value in values if len(value) < 20]
    return len(numbers) == len(values) and max(numbers) - min(numbers) == len(numbers) - 1


def _looks_like_a_key(text: str) -> bool:
    return " " not in text and any(letter.isdigit() for letter in text)


def _is_text(value: str) -> bool:
    """Return whether a value can be written: half of a pair of surrogates cannot."""
    return not any("\ud800" <= letter <= "\udfff" for letter in value)


def _share(column: Column, holds: Callable[[str], bool]) -> float:
    return sum(map(holds, column.counts)) / max(1, len(column.counts))


def _in_order(value: str) -> tuple[bool, float, str]:
    return (False, float(value), value) if is_number(value) else (True, 0.0, value)
