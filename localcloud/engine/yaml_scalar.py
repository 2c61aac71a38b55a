"""A plain scalar of YAML as the Pulumi CLI understands it: Go's yaml.v3, which is YAML 1.2 with some of 1.1's numbers.

`read("1e3") == ("int", 1000)`, `read("010") == ("int", 8)`, `read("yes") == ("str", "yes")`. PyYAML reads YAML 1.1,
where the first is a text, the third is true, and `1:30` is 90.
"""

from __future__ import annotations

import calendar
import math
import re
from decimal import Decimal

Scalar = str | int | float | bool | None

WORDS: dict[str, tuple[str, Scalar]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), ("null", None)),
    **dict.fromkeys(("true", "True", "TRUE"), ("bool", True)),
    **dict.fromkeys(("false", "False", "FALSE"), ("bool", False)),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), ("float", math.nan)),
    **{f"{sign}{word}": ("float", math.inf) for sign in ("", "+") for word in (".inf", ".Inf", ".INF")},
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), ("float", -math.inf)),
    "<<": ("merge", "<<"),
}
BASES = {"x": 16, "o": 8, "b": 2, "": 10}
INTEGER = re.compile(r"([-+]?)(?:0([xob])([0-9a-f]+)|0([0-7]+)|(0|[1-9][0-9]*))", re.IGNORECASE | re.ASCII)
FRACTION = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
BARE_FRACTION = re.compile(r"\.[0-9]+(_[0-9]+)*([eE][-+]?[0-9]+(_[0-9]+)*)?")
"""What begins with its point: an underscore stands between two digits there."""
DAY = r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
TIME = r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(\.[0-9]{1,9})?"
ZONE = r"(Z|[-+][0-9]{2}:[0-9]{2})"
DATES = tuple(map(re.compile, (DAY, f"{DAY} {TIME}", f"{DAY}[Tt]{TIME}{ZONE}")))
LOWEST, HIGHEST = -(2**63), 2**64 - 1
"""The whole numbers that Go has a type for."""
PLAIN_FROM, PLAIN_BELOW = 1e-6, 1e21
"""The fractions that Go writes without an exponent."""


def read(text: str) -> tuple[str, Scalar]:
    """Return the kind of an unquoted text (str, int, float, bool, null, timestamp or merge) and its value.

    A date is a text, as Go writes one. A fraction without a remainder is a whole number: it is one in JSON.
    """
    if text in WORDS:
        return WORDS[text]
    if text[0] == ".":
        return _fraction(text.replace("_", "")) if BARE_FRACTION.fullmatch(text) else ("str", text)
    if text[0] not in "+-0123456789":
        return "str", text
    if (date := _date(text)) is not None:
        return "timestamp", date
    plain = text.replace("_", "")
    if (number := _integer(plain)) is not None:
        return "int", number
    return _fraction(plain, text) if FRACTION.fullmatch(plain) else ("str", text)


def written(value: Scalar) -> str:
    """Return a value as Go writes it where a text is needed: as a key, or as the whole value of a setting."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value == 0 or PLAIN_FROM <= abs(value) < PLAIN_BELOW:
            text = format(Decimal(repr(value)), "f")
            return text.rstrip("0").rstrip(".") if "." in text else text
        case float():
            digits, _, exponent = repr(value).partition("e")
            return f"{digits}e{int(exponent):+d}"
        case _:
            return str(value)


def _integer(text: str) -> int | None:
    """Return the whole number that a text is, by its prefix; None for another text and for one that Go cannot hold."""
    found = INTEGER.fullmatch(text)
    if found is None:
        return None
    sign, base, based, octal, decimal = found.groups()
    digits = based or octal or decimal
    try:
        number = int(digits, 8 if octal else BASES[(base or "").lower()])
    except ValueError:
        return None
    # Only what has no sign can be of the unsigned type.
    if sign and number > -LOWEST - (sign == "+"):
        return None
    return None if number > HIGHEST else -number if sign == "-" else number


def _fraction(plain: str, text: str = "") -> tuple[str, Scalar]:
    number = float(plain)
    if math.isinf(number):
        return "str", text or plain
    if number.is_integer() and abs(number) < PLAIN_BELOW:
        return "float", int(Decimal(repr(number)))
    return "float", number


def _date(text: str) -> str | None:
    """Return a date as Go writes it; None for another text, and for a day that no calendar has."""
    found = next((match for form in DATES if (match := form.fullmatch(text))), None)
    if found is None:
        return None
    groups = (*found.groups(), *[None] * 8)
    year, month, day, hour, minute, second = (int(group or 0) for group in groups[:6])
    if not 1 <= month <= 12 or not 1 <= day <= calendar.monthrange(year or 4, month)[1]:
        return None
    if hour > 23 or minute > 59 or second > 59:
        return None
    fraction = (groups[6] or "").rstrip("0").rstrip(".")
    zone = (groups[7] or "Z").replace(":", "")
    name = "+0000 UTC" if zone in ("Z", "+0000") else f"{zone} {zone}"
    return f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{fraction} {name}"
