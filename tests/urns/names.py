"""The names of a graph's resources in a stack's state, now and before.

The key is a URN without its stack and project, as the engine forms it: `<types from the
outermost component on>::<name>`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.graph import Graph, Resource

SEPARATOR = "::"


def names(graph: Graph) -> dict[str, tuple[str, ...]]:
    """Return, by the URN of each resource, its keys: the current one, then those that aliases give it.

    As the engine does, a child also answers to the names that its parent had before; where the child's
    name begins with the parent's, that part is the parent's old name.
    """
    by_urn = {resource.urn: resource for resource in graph}
    keys_of: dict[str, tuple[str, ...]] = {}

    def keys(urn: str) -> tuple[str, ...]:
        if urn not in keys_of:
            resource = by_urn[urn]
            above = keys(resource.parent) if resource.parent else ("",)
            keys_of[urn] = tuple(dict.fromkeys(_keys(resource, by_urn, above)))
        return keys_of[urn]

    for resource in graph:
        keys(resource.urn)
    return keys_of


def _keys(resource: Resource, by_urn: Mapping[str, Resource], above: tuple[str, ...]) -> Iterator[str]:
    parent = by_urn[resource.parent].name if resource.parent else ""
    for alias in (None, *resource.aliases):
        if alias is not None and alias.WhichOneof("alias") == "urn":
            yield _key(alias.urn)
            continue
        spec = alias.spec if alias is not None else None
        type_, name = (spec and spec.type) or resource.type, (spec and spec.name) or resource.name
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
    return f"{types}{SEPARATOR}{name}"
