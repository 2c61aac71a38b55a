"""Terms: the numbers of a model's input x, one for each of its columns, and what of a row becomes them.

Most features are a term themselves. A date, a datetime and a text become several: the parts of the one, the counts of
the other's words. What people declare, send and are told about are features; what has a position is a term.
"""

from __future__ import annotations

import math
import re
import unicodedata
from typing import TYPE_CHECKING
from zlib import crc32

from models.feature import COMPOUND, Feature, UnacceptableValue, in_32_bits
from models.moment import DAY, RANGES, around, moment_of, part_of, seconds_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from models.feature import Kind, Missing

Read = float | str | None
"""A value as its feature reads it: the number of a term, a date's seconds, a text; None or NaN where it is missing."""
LONGEST_TEXT = 10_000
"""Characters of a text."""
LONGEST_SPAN = 4_000_000.0
"""Days between two dates, at most."""
_WORD = re.compile(r"\w+")


def terms_of(features: Sequence[Feature]) -> tuple[Feature, ...]:
    """Return what has a position in the model's input: the features, but for the terms of those that have several."""
    return tuple(term for feature in features for term in terms(feature, features))


def terms(feature: Feature, features: Sequence[Feature]) -> tuple[Feature, ...]:
    """Return the terms of one of `features`, each as a feature of a number by itself."""
    if feature.kind == "text":
        return tuple(
            Feature(
                name=f"{feature.name}.word_{at}",
                kind="integer",
                minimum=0,
                maximum=LONGEST_TEXT,
                missing=_missing(feature),
            )
            for at in range(feature.words or 0)
        )
    return tuple(_of_date(feature, features)) if feature.kind in COMPOUND else (feature,)


def spans_of(features: Sequence[Feature]) -> dict[str, slice]:
    """Return where the terms of each feature stand in the model's input."""
    spans, start = {}, 0
    for feature in features:
        stop = start + len(terms(feature, features))
        spans[feature.name] = slice(start, stop)
        start = stop
    return spans


def lacking(feature: Feature, features: Sequence[Feature]) -> list[int]:
    """Return the positions of the terms that are missing where one of `features` is."""
    spans = spans_of(features)
    own = spans[feature.name]
    # The days since it are the last term of another.
    return [*range(own.start, own.stop), *(spans[one.name].stop - 1 for one in features if one.since == feature.name)]


def numbers_of(feature: Feature, read: Mapping[str, Read]) -> list[float]:
    """Return the terms' numbers of a feature of a row, in 32 bits. `read` has every value of the row by its feature."""
    value = read[feature.name]
    if feature.kind == "text":
        return counts_of(value if isinstance(value, str) else None, feature.words or 0)
    assert isinstance(value, float)  # noqa: S101 - only a text is read as one
    if feature.kind not in COMPOUND:
        return [value]
    numbers = parts_of(feature, value)
    if feature.since:
        before = read[feature.since]
        assert isinstance(before, float)  # noqa: S101 - a contract lets it be a date alone
        numbers.append(in_32_bits(days_between(before, value)))
    return numbers


def days_between(before: Any, after: Any) -> Any:
    """Return the days from one date to another, both in seconds: of two, or of arrays of them."""
    return (after - before) / DAY


def parts_of(feature: Feature, seconds: float) -> list[float]:
    """Return the parts of a date, in 32 bits; NaN for all of them where it is NaN."""
    if math.isnan(seconds):
        return [math.nan] * sum(1 for _ in _parts(feature))
    moment = moment_of(seconds)
    numbers: list[float] = []
    for part in feature.parts:
        number = part_of(moment, part)
        numbers += map(in_32_bits, around(part, number)) if _is_cyclic(feature, part) else [float(number)]
    return numbers


def read(feature: Feature, value: object) -> Read:
    """Return a value as its feature reads it: a date's seconds, a text. Raise only `UnacceptableValue`."""
    if feature.kind == "text":
        return text_of(feature, value)
    if feature.kind not in COMPOUND:
        return feature.encode(value)
    there = _present(feature, value)
    return math.nan if there is None else seconds_of(feature, there)


def text_of(feature: Feature, value: object) -> str | None:
    """Return a value of a text, or of a category that is not known yet, as text; None where it is missing and kept.

    Raise `UnacceptableValue`.
    """
    there = _present(feature, value)
    if there is None:
        return None
    text = feature.text(there)
    if text is None:
        raise UnacceptableValue(f"is not {feature.accepts}")
    if feature.kind == "text" and len(text) > LONGEST_TEXT:
        raise UnacceptableValue(f"is longer than {LONGEST_TEXT:,} characters; accepted: {feature.accepts}")
    return text


def _present(feature: Feature, value: object) -> object:
    """Return the value, or the one that stands in for it; None where it is missing and kept."""
    if not feature.is_blank(value):
        return value
    if feature.missing == "reject":
        raise UnacceptableValue(f"is missing; accepted: {feature.accepts}")
    return None if feature.missing == "keep" else feature.missing


def counts_of(text: str | None, width: int) -> list[float]:
    """Return how often words with each remainder of a hash are in a text; NaN where there is none."""
    if text is None:
        return [math.nan] * width
    counts = [0.0] * width
    for word in _WORD.findall(unicodedata.normalize("NFC", text).lower()):
        counts[crc32(word.encode()) % width] += 1
    return counts


def _of_date(feature: Feature, features: Sequence[Feature]) -> Iterator[Feature]:
    for name, kind, least, greatest in _parts(feature):
        yield Feature(name=name, kind=kind, minimum=least, maximum=greatest, missing=_missing(feature))
    if feature.since:
        other = next(one for one in features if one.name == feature.since)
        missing = "keep" if "keep" in (feature.missing, other.missing) else "reject"
        name = f"{feature.name}.days_since_{feature.since}"
        yield Feature(name=name, minimum=-LONGEST_SPAN, maximum=LONGEST_SPAN, missing=missing)


def _parts(feature: Feature) -> Iterator[tuple[str, Kind, float, float]]:
    """Yield the name, the kind and the range of each term of a date's parts."""
    for part in feature.parts:
        name = f"{feature.name}.{part}"
        if _is_cyclic(feature, part):
            yield f"{name}_sin", "number", -1.0, 1.0
            yield f"{name}_cos", "number", -1.0, 1.0
        else:
            least, greatest = RANGES[part]
            yield name, "integer", float(least), float(greatest)


def _is_cyclic(feature: Feature, part: str) -> bool:
    return feature.cyclic and part != "year"


def _missing(feature: Feature) -> Missing:
    return "keep" if feature.missing == "keep" else "reject"
