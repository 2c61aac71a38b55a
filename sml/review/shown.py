"""How values and edits of resources are shown: short, and where two long texts differ, that part of them alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from sml.review.inputs import ABSENT, Edit
from sml.review.report import Line, Words

LONGEST: Final = 240
"""Characters of a value that are shown."""
AROUND: Final = 24
"""Characters that are shown before and after the part that differs."""
EDITS: Final = 12
"""Edits of one resource that are shown."""


def shown_edits(edits: Iterable[Edit]) -> tuple[Line, ...]:
    """Return a line for each edit, at most twelve."""
    lines = [_line(edit) for edit in edits]
    more = len(lines) - EDITS
    return (*lines[:EDITS], *([(Words(f"and {more} more"),)] if more > 0 else []))


def value(found: object) -> str:
    """Return a value as text, at most 240 characters of it."""
    if found is ABSENT:
        return "none"
    text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _line(edit: Edit) -> Line:
    if edit.secret:
        return (edit.path, Words(" differs, and is not shown"))
    if edit.content:
        return (edit.path, Words(": other content"))
    if edit.before is ABSENT:
        return (Words("&#43; "), edit.path, Words(" "), value(edit.after))
    if edit.after is ABSENT:
        return (Words("&#45; "), edit.path, Words(" "), value(edit.before))
    before, after = _differing(edit.before, edit.after)
    return (edit.path, Words(" "), before, Words(" -> "), after)


def _differing(before: object, after: object) -> Iterator[str]:
    """Return two values as text; of two long texts, what differs and a little around it."""
    texts = [one if isinstance(one, str) else value(one) for one in (before, after)]
    if max(map(len, texts)) > LONGEST:
        start = max(_alike(*texts) - AROUND, 0)
        cut = [text[start:] for text in texts]
        end = max(_alike(*(text[::-1] for text in cut)) - AROUND, 0)
        texts = ["…" * (start > 0) + text[: len(text) - end] + "…" * (end > 0) for text in cut]
    return map(value, texts)


def _alike(one: str, other: str) -> int:
    """Return how many characters two texts begin with in common."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (this, that) in pairs if this != that), min(len(one), len(other)))
