"""What each resource of a graph is called in a stack's state, and was called before.

The key is a URN without its stack and project: `<types from the outermost component on>::<name>`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.graph import Graph, Made

SEPARATOR = "::"


def names(graph: Graph) -> dict[str, tuple[str, ...]]:
    """For the URN of each resource in the graph, its keys: the current one, then those that aliases give it.

    As the engine does, a child also answers to the names that its parent had before; where the
    child's name begins with the parent's, that part is the parent's old name.
    """
    by_urn = {made.urn: made for made in graph}
    found: dict[str, tuple[str, ...]] = {}

    def keys(urn: str) -> tuple[str, ...]:
        if urn not in found:
            made = by_urn[urn]
            above = keys(made.parent) if made.parent else ("",)
            found[urn] = tuple(dict.fromkeys(_keys(made, by_urn, above)))
        return found[urn]

    for made in graph:
        keys(made.urn)
    return found


def _keys(made: Made, by_urn: Mapping[str, Made], above: tuple[str, ...]) -> Iterator[str]:
    parent = by_urn[made.parent].name if made.parent else ""
    for alias in (None, *made.aliases):
        if alias is not None and alias.WhichOneof("alias") == "urn":
            yield _key(alias.urn)
            continue
        spec = alias.spec if alias is not None else None
        type_, name = (spec and spec.type) or made.type, (spec and spec.name) or made.name
        for outer in _parents(spec, above):
            yield _below(outer, type_, _renamed(name, parent, outer))


def _parents(spec: Any, above: tuple[str, ...]) -> tuple[str, ...]:
    if spec is None or spec.WhichOneof("parent") is None or not (spec.noParent or spec.parentUrn):
        return above
    return ("",) if spec.noParent else (_key(spec.parentUrn),)


def _below(parent: str, type_: str, name: str) -> str:
    types = parent.partition(SEPARATOR)[0]
    return f"{types}${type_}{SEPARATOR}{name}" if types else f"{type_}{SEPARATOR}{name}"


def _renamed(name: str, parent: str, outer: str) -> str:
    before = outer.partition(SEPARATOR)[2]
    return before + name.removeprefix(parent) if parent and before and name.startswith(parent) else name


def _key(urn: str) -> str:
    types, name = urn.split(SEPARATOR, 3)[2:]
    return f"{types.removeprefix('pulumi:pulumi:Stack$')}{SEPARATOR}{name}"
