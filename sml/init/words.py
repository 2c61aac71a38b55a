"""What the names of columns and the look of their values say, and how values are listed in a sentence."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from functions.core.dataset.number_style import style_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

TARGETS = (
    *("target", "label", "class", "y", "outcome", "response", "diagnosis", "species", "churn", "churned", "survived"),
    *("fraud", "is_fraud", "default", "defaulted", "exited", "attrition", "left", "result", "category", "approved"),
    *("spam", "is_spam", "converted", "purchased", "deposit", "income"),
)
"""Names under which people keep what is to be predicted, the surest first."""
_NUMBER_TARGETS = frozenset(
    {"price", "rent", "demand", "sales", "revenue", "salary", "wage", "consumption", "yield", "value", "progression"}
)
_TARGET_WORDS = frozenset(
    {"target", "label", "class", "outcome", "churn", "fraud", "default", "attrition", "diagnosis"}
)
_IDS = frozenset({"id", "ids", "uuid", "guid", "key", "identifier", "index", "rowid", "ssn", "phone", "email", "iban"})
_CODES = frozenset({"zip", "zipcode", "postcode", "postal", "plz", "code"})
_AMOUNTS = {
    *("age", "amount", "area", "balance", "charge", "charges", "cost", "count", "days", "distance", "duration"),
    *("fare", "fee", "fees", "height", "hours", "income", "length", "mass", "minutes", "months", "number"),
    *("population", "price", "quantity", "rooms", "salary", "seconds", "sibsp", "parch", "size", "spend", "spent"),
    *("tenure", "total", "usage", "volume", "weeks", "weight", "width", "years", "visits", "calls"),
}
"""Words for what is never below zero."""
_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([ T]\d{1,2}:\d{2}.*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}( \d{1,2}:\d{2}.*)?"
    r"|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?|\d{1,2}[- ][A-Za-z]{3,9}[- ,]+\d{2,4}|[A-Za-z]{3,9} \d{1,2},? \d{4}"
)
_POLES = (
    *(("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"), ("0", "1"), ("-1", "1"), ("negative", "positive")),
    *(("neg", "pos"), ("benign", "malignant"), ("ham", "spam"), ("stayed", "left"), ("dead", "alive"), ("b", "m")),
    *(
        ("nein", "ja"),
        ("non", "oui"),
        ("rejected", "approved"),
        ("legit", "fraud"),
        ("retained", "churned"),
        ("fail", "pass"),
        ("normal", "abnormal"),
    ),
)
"""Pairs of classes, the one that is looked for last."""


def words_of(name: str) -> list[str]:
    """Return the words of a name in small letters: `CustomerID`, `customer_id` and `customer id` have the same."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return [word for word in re.split(r"[\W_]+", spaced.lower()) if word]


def is_id(name: str) -> bool:
    """Return whether a name says that its column tells rows apart."""
    return not _IDS.isdisjoint(words_of(name))


def is_code(name: str) -> bool:
    """Return whether a name says that its numbers are codes, and no amounts."""
    return not _CODES.isdisjoint(words_of(name))


def is_amount(name: str) -> bool:
    """Return whether a name says that its numbers are never below zero."""
    return not _AMOUNTS.isdisjoint(words_of(name))


def target_rank(name: str) -> int | None:
    """Return how surely a name is that of a target, 0 for the surest; None where it is not."""
    plain = "_".join(words_of(name))
    if plain in TARGETS:
        return TARGETS.index(plain)
    return len(TARGETS) if not _TARGET_WORDS.isdisjoint(words_of(name)) else None


def is_doubtful_target(name: str) -> bool:
    """Return whether a name has no more than a word of a target's: that of `energy_class` may say something else."""
    return target_rank(name) == len(TARGETS)


def is_number_target(name: str) -> bool:
    """Return whether people keep under this name a number that is to be predicted."""
    return not _NUMBER_TARGETS.isdisjoint(words_of(name))


def poles(classes: Collection[str]) -> tuple[str, ...] | None:
    """Return two classes with the one that is looked for last, where their names tell; else None."""
    by_word = {name.lower(): name for name in classes}
    for pair in _POLES:
        if len(classes) == 2 and set(by_word) == set(pair):
            return tuple(by_word[word] for word in pair)
    return None


def is_date(text: str) -> bool:
    return _DATE.fullmatch(text) is not None


def is_number(text: str) -> bool:
    """Return whether a text is a number with a decimal point, and no word for one."""
    try:
        return text.isascii() and "_" not in text and math.isfinite(float(text))
    except ValueError:
        return False


def share_of_numbers(texts: Iterable[str]) -> float:
    """Return which share of different texts are numbers, in the style in which most of them are written."""
    found = list(texts)
    style = style_of([text for text in found if not is_number(text)])
    plain = [style.plain(text) for text in found]
    return sum(text is not None and is_number(text) for text in plain) / max(1, len(found))


def has_leading_zero(text: str) -> bool:
    """Return whether digits are a code, which a number would cut: 00712."""
    return len(text) > 1 and text[0] == "0" and text.isdigit()


def listed(names: Sequence[str], most: int = 6) -> str:
    """Return names for a sentence, the first of many."""
    shown = ", ".join(shortened(name) for name in names[:most])
    return shown + (f", ... ({len(names)} in all)" if len(names) > most else "")


def shortened(text: str, most: int = 40) -> str:
    """Return a text that fits into a line, without characters that cannot be printed."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in text)
    return plain if len(plain) <= most else f"{plain[:most]}..."


def of(part: int, whole: int, noun: str = "rows") -> str:
    """Return a part of the rows in words: `12 of 300 rows (4.0 %)`."""
    return f"{part:,} of {whole:,} {noun} ({100 * part / max(1, whole):.1f} %)"
