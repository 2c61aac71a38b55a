"""Dates and times: what is written, as seconds since 1970 in UTC, and the parts of it that a model gets.

A time without an offset is one in UTC. There are no time zones: what a row means does not depend on where it is read.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING

from models.feature import UnacceptableValue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.feature import Feature

DAY = 86_400
RANGES: Mapping[str, tuple[int, int]] = {
    "year": (1, 9999),
    "month": (1, 12),
    "week": (1, 53),
    "day": (1, 31),
    "day_of_year": (1, 366),
    "weekday": (0, 6),
    "hour": (0, 23),
    "minute": (0, 59),
}
"""The least and the greatest number of each part. Monday is weekday 0; weeks are those of ISO 8601."""
OF_TIME = frozenset({"hour", "minute"})
_DIRECTIVES = {
    "Y": r"(?P<Y>\d{4})",
    "m": r"(?P<m>\d{1,2})",
    "d": r"(?P<d>\d{1,2})",
    "H": r"(?P<H>\d{1,2})",
    "M": r"(?P<M>\d{2})",
    "S": r"(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?",
    "z": r"(?P<z>Z|[+-]\d{2}:?\d{2})",
}
DIRECTIVES = ", ".join(f"%{letter}" for letter in _DIRECTIVES)
_ISO = re.compile(
    r"(?P<Y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})"
    r"(?:[Tt ](?P<H>\d{2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?(?P<z>[Zz]|[+-]\d{2}(?::?\d{2})?)?)?",
    re.ASCII,
)
_WITHOUT_YEAR = re.compile(r"-{0,2}\d{1,2}[-./ ]\d{1,2}\.?", re.ASCII)
_DIGITS = re.compile(r"\d+", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def unreadable(form: str, *, timed: bool) -> str:
    """Return why a `format` is none; "" where it is one."""
    letters = re.findall(r"%(.?)", form)
    if unknown := [f"%{letter}" for letter in letters if letter not in _DIRECTIVES]:
        return f"has {unknown[0]}; accepted: {DIRECTIVES} and the text around them"
    if len(set(letters)) < len(letters):
        return "has a directive twice"
    if not {"Y", "m", "d"} <= set(letters):
        return "has no year, month or day; accepted: a text with %Y, %m and %d"
    if not timed and len(letters) > 3:
        return "has a time, and kind: date has none; accepted: kind: datetime"
    if not {"S": {"M", "H"}, "M": {"H"}, "z": {"H"}}.get(min(letters, key="zSMHdmY".index), set()) <= set(letters):
        return "has a part of a time without the hour or the minute before it"
    return ""


def seconds_of(feature: Feature, value: object) -> float:
    """Return a date or a datetime as seconds since 1970 in UTC. Raise `UnacceptableValue`."""
    text = value.strip() if isinstance(value, str) else ""
    found = _pattern(feature.format).fullmatch(text)
    if found is None:
        raise UnacceptableValue(_complaint(feature, text))
    groups = {key: part for key, part in found.groupdict().items() if part is not None}
    year, month, day, hour, minute, second = (int(groups.get(key, 0)) for key in "YmdHMS")
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=_offset(groups.get("z", "Z")))
        moment += timedelta(microseconds=int(groups.get("f", "")[:6].ljust(6, "0")))
        seconds = (moment - _EPOCH).total_seconds()
        moment_of(seconds)
    except (ValueError, OverflowError):
        raise UnacceptableValue(f"is no day or time that there is; accepted: {feature.accepts}") from None
    if feature.kind == "date" and seconds % DAY:
        raise UnacceptableValue(f"has a time of day, which kind: datetime takes; accepted: {feature.accepts}")
    return seconds


def moment_of(seconds: float) -> datetime:
    """Return seconds since 1970 as a datetime in UTC. Raise `OverflowError` beyond the years 1 to 9999."""
    return _EPOCH + timedelta(seconds=seconds)


def part_of(moment: datetime, part: str) -> int:
    """Return a part of a moment, as a number in its range."""
    match part:
        case "week":
            return moment.isocalendar().week
        case "day_of_year":
            return moment.timetuple().tm_yday
        case "weekday":
            return moment.weekday()
        case _:
            return int(getattr(moment, part))


def around(part: str, number: int) -> tuple[float, float]:
    """Return the sine and the cosine of a part that comes round, such as the month: December is next to January."""
    least, greatest = RANGES[part]
    angle = 2 * math.pi * (number - least) / (greatest - least + 1)
    return math.sin(angle), math.cos(angle)


def _complaint(feature: Feature, text: str) -> str:
    """Return why a text is not read, which is most often that the column is written in another way, or in two."""
    if _WITHOUT_YEAR.fullmatch(text):
        return f"has no year; accepted: {feature.accepts}"
    if len(_DIGITS.findall(text)) < 3:
        return f"is not {feature.accepts}"
    known = "its format says" if feature.format else "ISO 8601 says"
    return f"is written otherwise than {known}, and a column is written in one way; accepted: {feature.accepts}"


@lru_cache(maxsize=64)
def _pattern(form: str) -> re.Pattern[str]:
    if not form:
        return _ISO
    pieces = re.split(r"(%.)", form)
    return re.compile("".join(_DIRECTIVES[one[1]] if one[:1] == "%" else re.escape(one) for one in pieces), re.ASCII)


def _offset(text: str) -> timezone:
    """Return an offset such as Z, +01, +0100 or +01:00. Raise `ValueError`."""
    if text in ("Z", "z"):
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    if int(digits[2:]) > 59:
        raise ValueError(text)
    delta = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-delta if text[0] == "-" else delta)
