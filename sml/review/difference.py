"""The difference between two graphs of resources: what was added, what was changed, what was removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from sml.review.inputs import Edit, edits

STATEFUL: Final = frozenset({"Bucket", "Queue", "Topic", "Subscription"})
"""Kinds of resources that hold what nobody can declare anew."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource as a commit declares it."""

    urn: str
    type: str
    name: str
    component: str
    """The component that declares it, such as `Function predict`; empty for the stack itself."""
    inputs: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """The last part of its type: `Bucket`."""
        return self.type.rpartition(":")[2]

    @property
    def stateful(self) -> bool:
        """Whether its removal loses what it holds."""
        return self.kind in STATEFUL


@dataclass(frozen=True, kw_only=True)
class Changed:
    """A resource that both commits declare, with other inputs."""

    resource: Resource
    edits: tuple[Edit, ...]

    @property
    def content(self) -> bool:
        """Whether nothing but the content of files differs, such as a function's code."""
        return all(edit.content for edit in self.edits)


@dataclass(frozen=True, kw_only=True)
class Graph:
    """The resources of a stack, by their URNs; components are not among them."""

    resources: Mapping[str, Resource]

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """Read a document of format 1, as `make preview` writes it. Raise `ValueError` for anything else."""
        try:
            if document["format"] != 1:
                raise ValueError(f"a graph of format {document['format']!r}; this reads format 1")
            declared = {str(one["urn"]): one for one in document["resources"]}
            return cls(
                resources={
                    urn: Resource(
                        urn=urn,
                        type=str(one["type"]),
                        name=str(one["name"]),
                        component=_component(declared.get(str(one["parent"]))),
                        inputs=dict(one["inputs"]),
                    )
                    for urn, one in declared.items()
                    if not one["component"]
                }
            )
        except (KeyError, TypeError, AttributeError) as problem:
            raise ValueError(f"no graph of resources: {problem}") from None


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What a change does to the declared resources of a stack; each list is in the order of components and names."""

    added: tuple[Resource, ...]
    changed: tuple[Changed, ...]
    removed: tuple[Resource, ...]

    @classmethod
    def between(cls, base: Graph, head: Graph) -> Self:
        """Compare two graphs. A resource under another URN is another resource."""
        both = [urn for urn in head.resources if urn in base.resources]
        compared = [
            Changed(
                resource=head.resources[urn],
                edits=tuple(edits(base.resources[urn].inputs, head.resources[urn].inputs)),
            )
            for urn in both
        ]
        return cls(
            added=_ordered(head.resources, base.resources),
            changed=tuple(sorted((one for one in compared if one.edits), key=lambda one: _order(one.resource))),
            removed=_ordered(base.resources, head.resources),
        )

    @property
    def empty(self) -> bool:
        """Whether the two declare the same."""
        return not (self.added or self.changed or self.removed)

    @property
    def totals(self) -> str:
        """The counts: `+2 ~5 -0`."""
        return f"+{len(self.added)} ~{len(self.changed)} -{len(self.removed)}"

    @property
    def lost(self) -> tuple[Resource, ...]:
        """The removed resources that hold something."""
        return tuple(one for one in self.removed if one.stateful)


def _component(parent: Mapping[str, Any] | None) -> str:
    if parent is None:
        return ""
    return f"{str(parent['type']).rpartition(':')[2]} {parent['name']}"


def _ordered(these: Mapping[str, Resource], others: Mapping[str, Resource]) -> tuple[Resource, ...]:
    return tuple(sorted((one for urn, one in these.items() if urn not in others), key=_order))


def _order(one: Resource) -> tuple[str, str, str]:
    return one.component, one.name, one.type
