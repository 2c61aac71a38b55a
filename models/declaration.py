"""What the declaration of a date, a text or an open category must fulfil."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.feature import COMPOUND, OTHER, Feature, UnacceptableValue
from models.moment import OF_TIME, unreadable
from models.terms import read, terms, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_WORDS = 1_024
_KEYS = {
    "unseen": frozenset({"category"}),
    "learn": frozenset({"category"}),
    "rare_below": frozenset({"category"}),
    "format": frozenset({"date", "datetime"}),
    "parts": frozenset({"date", "datetime"}),
    "cyclic": frozenset({"date", "datetime"}),
    "since": frozenset({"date", "datetime"}),
    "words": frozenset({"text"}),
}
"""The kinds that keys go with."""


def later_faults(feature: Feature, features: Sequence[Feature]) -> Iterator[tuple[str, str]]:
    """Yield what else is wrong with one of `features`: a key, "" for the feature itself, and a sentence."""
    for key, kinds in _KEYS.items():
        if feature.kind not in kinds and getattr(feature, key) != getattr(Feature, key):
            yield key, f"goes with kind: {' or '.join(sorted(kinds))}, and only with it"
    match feature.kind:
        case "category":
            yield from _of_category(feature)
        case "date" | "datetime":
            yield from _of_date(feature, features)
        case "text":
            if not 1 <= (feature.words or 0) <= MOST_WORDS:
                yield "words", f"is how many counts a text becomes; accepted: 1 to {MOST_WORDS:,}, such as 64"
    if feature.missing not in ("reject", "keep") and (feature.kind in COMPOUND or feature.must_learn):
        try:
            text_of(feature, feature.missing) if feature.must_learn else read(feature, feature.missing)
        except UnacceptableValue as problem:
            yield "missing", str(problem)
    if feature.kind in COMPOUND and not list(feature.faults()):
        yield from _names_of_terms(feature, features)


def _of_category(feature: Feature) -> Iterator[tuple[str, str]]:
    if feature.categories and feature.learn:
        yield "learn", "goes without categories, which are then those that a dataset has"
    if feature.unseen == "other" and OTHER in feature.categories:
        yield "categories", f"{OTHER} is what unseen: other is called"
    if feature.rare_below is not None:
        if not feature.learn or feature.unseen != "other":
            yield "rare_below", "goes with learn: true and unseen: other, and only with them"
        if feature.rare_below < 2:
            yield "rare_below", "is a number of rows; accepted: 2 or more"


def _of_date(feature: Feature, features: Sequence[Feature]) -> Iterator[tuple[str, str]]:
    if feature.format and (why := unreadable(feature.format, timed=feature.kind == "datetime")):
        yield "format", why
    if len(set(feature.parts)) != len(feature.parts):
        yield "parts", "a part stands twice"
    if feature.kind == "date" and (late := [part for part in feature.parts if part in OF_TIME]):
        yield "parts", f"{late[0]} is no part of a date; accepted: kind: datetime"
    if feature.cyclic and not set(feature.parts) - {"year"}:
        yield "cyclic", "goes with parts that come round, such as month or weekday"
    dates = [one.name for one in features if one.kind in ("date", "datetime") and one.name != feature.name]
    if feature.since and feature.since not in dates:
        accepted = f"accepted: {', '.join(dates)}" if dates else "there is no other"
        yield "since", f"{feature.since} is no other feature of kind date or datetime; {accepted}"
    if not feature.parts and not feature.since and feature.name not in [one.since for one in features]:
        yield "", "becomes nothing: write parts, such as [year, month, weekday], or since, another column"


def _names_of_terms(feature: Feature, features: Sequence[Feature]) -> Iterator[tuple[str, str]]:
    """Yield a term that is called as another feature is."""
    names = {one.name for one in features}
    for term in terms(feature, features):
        if term.name in names:
            yield "name", f"one of its numbers is called {term.name}, and so is another feature"
