"""The complaint about a mistake in settings: where it is, what was found, and what is accepted."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from infra.accepted import Kind, Place, accepted, below, place, tags

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from infra.section import Section

HIDDEN = "a secret, which is not shown,"
LONGEST = 80
"""Characters of a value that a complaint shows."""
WHOLE = "a mapping, such as {cloud: aws, models: [breast_cancer]}"
"""What is accepted as the settings."""


def complaints(
    problems: Sequence[ErrorDetails],
    *,
    root: type[Section],
    document: object,
    examples: Mapping[str, str] | None = None,
    secret: bool = False,
) -> list[tuple[tuple[str | int, ...], str]]:
    """Return for each mistake in a document, in its order, the keys that lead there and what is said after the file.

    `root` is the section that the keys belong to. Of a `secret` a sentence says neither the value nor anything that
    was made of it.
    """
    found = [(place(problem["loc"], root), problem) for problem in problems]
    mistakes = [(at, problem) for at, problem in found if not _follows(at, problem, found)]
    mistakes.sort(key=lambda mistake: _position(mistake[0].keys, document))
    return [(at.keys, _sentence(problem, at, document, examples or {}, secret=secret)) for at, problem in mistakes]


def shown(value: object, *, secret: bool = False) -> str:
    """Return a value as a complaint shows it."""
    if secret:
        return HIDDEN.rstrip(",")
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _follows(at: Place, problem: ErrorDetails, found: Sequence[tuple[Place, ErrorDetails]]) -> bool:
    """Return whether a problem is no mistake of its own: a list that has lost its wrong values is too short."""
    return problem["type"] == "too_short" and any(
        len(other.keys) > len(at.keys) and other.keys[: len(at.keys)] == at.keys for other, _ in found
    )


def _position(keys: Sequence[str | int], document: object) -> tuple[int, ...]:
    """Return where in a document keys lead to; what is missing stands at the end of what it should stand in."""
    position: list[int] = []
    for key in keys:
        beside: list[Any] = [key for key, _ in _items(document)]
        position.append(beside.index(key) if key in beside else len(beside))
        document = _at(document, [key])
    return tuple(position)


def _items(value: object) -> Iterator[tuple[str | int, object]]:
    """Yield what is in a mapping by its keys, or in a list by the positions."""
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _sentence(problem: ErrorDetails, at: Place, document: object, examples: Mapping[str, str], *, secret: bool) -> str:
    value: Any = problem["input"]
    where = f" -> {at.path}" if at.keys else ""
    match problem["type"]:
        case "extra_forbidden":
            names = sorted({name for section in at.around for name in section.model_fields})
            hint = _hint(at, names, document)
            return f"{where}: there is no such setting{hint}\n  accepted here: {', '.join(names)}"
        case "missing":
            line = f"{'  ' * len(at.keys)}{at.keys[-1]}: {examples.get(str(at.keys[-1]), '...')}"
            return f"{where}: is required\n  write, for example:\n  {line}"
        case "union_tag_not_found" | "union_tag_invalid" if isinstance(value, dict):
            key = problem["ctx"]["discriminator"].strip("'_()")
            values = ", ".join(tag for kind in at.kinds if kind.section for tag in tags(kind.section, key))
            what = f"found {shown(value[key], secret=secret)}" if key in value else "is required"
            return f"{where}.{key}: {what}; accepted: {values}"
        case kind:
            reason = problem["msg"].removeprefix("Value error, ") if kind == "value_error" and not secret else ""
            why = f" ({reason})" if reason else ""
            told = None if secret else problem.get("ctx", {}).get("accepted")
            words = told or (accepted(at.kinds) if at.keys else WHOLE)
            return f"{where}: found {shown(value, secret=secret)}; accepted: {words}{why}"


def _hint(at: Place, names: Sequence[str], document: object) -> str:
    """Return what is meant by a key that there is not: one of an empty part beside it, or one of almost that name."""
    key = str(at.keys[-1])
    empty = [name for name, value in _items(_at(document, at.keys[:-1])) if value is None]
    parts = {str(name): [kind for section in at.around for kind in below([Kind(type=section)], name)] for name in empty}
    meant = difflib.get_close_matches(key, names, n=1)
    holders = [name for name, kinds in parts.items() if any(kind.section and below([kind], key) for kind in kinds)]
    if not holders and not meant:
        holders = [name for name, kinds in parts.items() if below(kinds, key)]
    if holders:
        return f"; does it belong into {', '.join(holders)}, which is empty here? Then indent it further"
    return f"; did you mean {meant[0]}?" if meant else ""


def _at(document: object, keys: Sequence[str | int]) -> object:
    for key in keys:
        document = dict(_items(document)).get(key)
    return document
