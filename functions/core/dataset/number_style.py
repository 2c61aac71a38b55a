"""How the numbers of a text file are written: with a decimal point or comma, with separated thousands or without.

A style is taken only where it is certain. `1,5` can only have a decimal comma, `1,234.5` only separated
thousands; `1,234` alone may be either, and is refused.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

UNCERTAIN = (
    "has a comma or a point that may separate thousands or decimals; accepted: numbers with a decimal point"
    " and without separators of thousands, as in 1234.5"
)
_SPACES = " \u00a0\u202f"
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?|[+-]?\d+,")
_QUICK = re.compile(r"[+-]?[0-9]*,[0-9]+(?:[eE][+-]?[0-9]+)?|[+-]?[0-9]+,?")
_GROUPS = {
    mark: re.compile(rf"[+-]?[1-9]\d{{0,2}}((?:{marks}\d{{3}})+)({decimal}\d*)?")
    for mark, marks, decimal in (
        (",", ",", r"\."),
        (".", r"\.", ","),
        (" ", f"[{_SPACES}]", "[.,]"),
        ("'", "['\u2019]", r"\."),
    )
}
_GROUP_MARKS = {",": ",", ".": ".", " ": _SPACES, "'": "'\u2019"}


@dataclass(frozen=True)
class NumberStyle:
    """The decimal mark, and the mark between thousands: `,`, `.`, a space or an apostrophe; none where it is empty."""

    decimal: str = "."
    thousands: str = ""

    def plain(self, text: str) -> str | None:
        """Return a number as Python writes it; None where this style does not tell what it is."""
        text = text.strip()
        if self.thousands and (match := _GROUPS[self.thousands].fullmatch(text)):
            if not match[2] or match[2][0] == self.decimal:
                ungrouped = text.translate(dict.fromkeys(map(ord, _GROUP_MARKS[self.thousands])))
                return ungrouped.replace(self.decimal, ".")
            return None
        if self.decimal == ",":
            if "." in text:
                return None
            return text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text
        return None if _is_ambiguous(text) else text


PLAIN = NumberStyle()


def style_of(texts: Iterable[str]) -> NumberStyle:
    """Return the style in which these texts are numbers, by what only one style explains; `PLAIN` where none is."""
    decimals: set[str] = set()
    groups: set[str] = set()
    for text in map(str.strip, texts):
        marks = [mark for mark, pattern in _GROUPS.items() if (match := pattern.fullmatch(text)) and _certain(match)]
        groups.update(marks)
        decimals.update(found[2][0] for mark in marks if (found := _GROUPS[mark].fullmatch(text)) and found[2])
        if not marks and _DECIMAL_COMMA.fullmatch(text) and not _GROUPS[","].fullmatch(text):
            decimals.add(",")
    if "." in groups:
        decimals.add(",")
    if "," in groups or "'" in groups:
        decimals.add(".")
    if len(decimals) > 1 or len(groups) > 1:
        return PLAIN
    return NumberStyle(decimal=next(iter(decimals), "."), thousands=next(iter(groups), ""))


def with_decimal_comma(cells: Iterable[str | None]) -> list[float]:
    """Return the numbers of cells that are no more than digits and one comma; NaN for those that need a closer look."""
    is_number = _QUICK.fullmatch
    return [float(cell.replace(",", ".")) if cell is not None and is_number(cell) else math.nan for cell in cells]


def _certain(match: re.Match[str]) -> bool:
    """Return whether a number with groups of three digits can be nothing else."""
    return bool(match[2]) or len(match[1]) > len(",000") or match[1][0] not in ",."


def _is_ambiguous(text: str) -> bool:
    return "," in text and (bool(_GROUPS[","].fullmatch(text)) or bool(_DECIMAL_COMMA.fullmatch(text)))
