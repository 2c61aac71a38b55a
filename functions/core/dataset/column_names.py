"""The names of a table's columns in sentences: those that it begins with, and which may have been meant."""

from __future__ import annotations

import difflib


def begin_of(columns: tuple[str, ...]) -> str:
    """Return the first names of a header, short enough for a sentence."""
    first = ", ".join(repr(name[:40]) for name in columns[:5])
    return first + (f", ... ({len(columns)} in all)" if len(columns) > 5 else "")


def meant_for(name: str, candidates: list[str]) -> str:
    """Return a question after the candidate that a name may have been meant for; nothing where none is near."""
    near = sorted(candidates, key=lambda other: -_likeness(name, other))[:1]
    return f"; did you mean {near[0]}?" if near and _likeness(name, near[0]) > 0.6 else ""


def _likeness(one: str, other: str) -> float:
    """Return how alike two names are, 0 to 1, also by their words in any order: radius_mean, mean_radius."""
    words = [" ".join(sorted(name.lower().replace("_", " ").replace("-", " ").split())) for name in (one, other)]
    return max(
        difflib.SequenceMatcher(None, one[:100].lower(), other.lower()).ratio(),
        difflib.SequenceMatcher(None, words[0][:100], words[1]).ratio(),
    )
