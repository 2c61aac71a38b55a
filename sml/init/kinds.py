"""Columns of dates and of free text: how they are declared, where their values show it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from models.feature import Feature, Part, UnacceptableValue
from models.moment import OF_TIME, moment_of, part_of, seconds_of
from models.terms import LONGEST_TEXT

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from models.feature import Kind, Missing

MOSTLY = 0.98
"""The share of different values that are written in one way; the others are mistakes in it."""
FORMATS = tuple(
    f"{day}{time}"
    for day in ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d")
    for time in ("", " %H:%M", " %H:%M:%S")
)
"""Ways of writing a date that are looked for, beside ISO 8601."""
LEAST_WORDS, MOST_WORDS = 3.0, 60.0
"""Words of a value of free text, on average."""
LEAST_REPEATS = 3.0
"""How often a word of free text is there, on average: words that are there once tell nothing."""
PARTS: tuple[Part, ...] = ("year", "month", "weekday", "hour")


def date_feature(name: str, counts: Collection[str], missing: Missing) -> tuple[Feature, str] | None:
    """Return a column of dates as a feature, and why; None where its way of writing is not known, or not sure."""
    for kind in ("date", "datetime"):
        if _accepted(found := Feature(name=name, kind=kind, missing=missing), counts):
            return _with_parts(found, counts), "times as in ISO 8601" if kind == "datetime" else "dates as in ISO 8601"
    fitting = [
        found
        for form in FORMATS
        if _accepted(found := Feature(name=name, kind=_kind_of(form), format=form, missing=missing), counts)
    ]
    # 03/04/2026 alone does not tell whether the day comes first.
    if len(fitting) != 1:
        return None
    return _with_parts(fitting[0], counts), f"dates, all of which can be read as {fitting[0].format}"


def free_text(counts: Mapping[str, int]) -> str | None:
    """Return why a column is free text of which words tell something; None where it is not."""
    words = [re.findall(r"\w+", text) for text in counts]
    total, different = sum(map(len, words)), len({word.lower() for some in words for word in some})
    if sum(word[0].isupper() for some in words for word in some) > total / 2:
        return None  # names of people or of things
    mean = total / max(1, len(words))
    repeats = total / max(1, different)
    if not LEAST_WORDS <= mean <= MOST_WORDS or repeats < LEAST_REPEATS or max(map(len, counts)) > LONGEST_TEXT:
        return None
    return f"free text of {mean:.0f} words: how often each is there is counted, by a hash"


def _kind_of(form: str) -> Kind:
    return "datetime" if "%H" in form else "date"


def _accepted(feature: Feature, counts: Collection[str]) -> bool:
    return sum(_seconds(feature, text) is not None for text in counts) >= MOSTLY * len(counts)


def _seconds(feature: Feature, text: str) -> float | None:
    try:
        return seconds_of(feature, text)
    except UnacceptableValue:
        return None


def _with_parts(feature: Feature, counts: Collection[str]) -> Feature:
    """Return the feature with the parts that are not the same in every row."""
    moments = [moment_of(seconds) for text in counts if (seconds := _seconds(feature, text)) is not None]
    usual = [part for part in PARTS if feature.kind == "datetime" or part not in OF_TIME]
    parts = [part for part in usual if len({part_of(moment, part) for moment in moments}) > 1]
    return Feature(
        name=feature.name,
        kind=feature.kind,
        format=feature.format,
        missing=feature.missing,
        parts=tuple(parts or usual[:1]),
    )
