"""Resource handlers: how each type of resource is created, updated and deleted in an embedded cloud.

```python
def _topic(order: Order) -> Registered:
    name = order.name(limit=255)
    order.session.pubsub.create_topic(name)
    return Registered(id=name, outputs={**order.inputs, "name": name})

def _delete_topic(project: Project, resource: Resource) -> None:
    project.pubsub.delete_topic(resource.id)

HANDLERS = {
    "gcp:pubsub/topic:Topic": ResourceHandler(
        create=_topic, delete=_delete_topic, takes=frozenset({"name", "project"})
    )
}
```
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.engine.program import Declared, Registered


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource that exists: what was declared, what was registered, and how often it was replaced."""

    declared: Declared
    registered: Registered
    fingerprint: str
    """SHA-256 of the inputs, with the content of files in place of their paths."""
    generation: int = 0
    """0 for the first, one more after each replacement."""

    @property
    def id(self) -> str:
        return self.registered.id

    @property
    def inputs(self) -> Mapping[str, Any]:
        return self.declared.inputs

    @property
    def outputs(self) -> Mapping[str, Any]:
        return self.registered.outputs


@dataclass(frozen=True, kw_only=True)
class Order:
    """One resource to create or to update. `session` is the provider's own."""

    session: Any
    declared: Declared
    generation: int = 0
    before: Resource | None = None
    """The resource that is updated; None for one that is created."""

    @property
    def inputs(self) -> Mapping[str, Any]:
        return self.declared.inputs

    def name(self, *, key: str = "name", limit: int = 64, suffix: str = "") -> str:
        """Return the physical name: the input `key`, or the logical name and seven more characters.

        An update keeps the name: the logical one may be another by then, under an alias.

        The whole name has at most `limit` characters and ends with `suffix`. Pulumi chooses the
        seven at random; here they follow from the URN and the generation, so a resource has the
        same name in every local stack: `data-bucket` becomes `data-bucket-3f9a1c2`.
        """
        if name := self.inputs.get(key) or (self.before and self.before.outputs.get(key)):
            return str(name)
        unique = hashlib.sha256(f"{self.declared.urn} {self.generation}".encode()).hexdigest()[:7]
        prefix = self.inputs.get(f"{key}Prefix") or f"{self.declared.name}-"
        return f"{prefix[: limit - len(unique) - len(suffix)]}{unique}{suffix}"


REMARKS = frozenset({"tags", "labels", "forceDestroy", "skipDestroy", "forceDetachPolicies"})
"""Inputs that say whose a resource is, or how it may be deleted. No provider replaces a resource for one of them."""

Create = Callable[[Order], Registered]
Update = Callable[[Order, Resource], Registered]
Delete = Callable[[Any, Resource], None]
Exists = Callable[[Any, Resource], bool]
Reads = Callable[[Any, Resource], Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class ResourceHandler:
    """How one type of resource is created, updated and deleted.

    Without `update` a resource is replaced whenever more of it changes than `REMARKS`. Without
    `delete` it goes together with the resource that it belongs to. An input that is neither in
    `takes` nor in the engine's `SILENT` is reported as not emulated, with the reason from `ignores`
    if there is one. A part of an input that is otherwise taken is named in `ignores` by its dotted path:
    `{"serviceConfig.availableCpu": "this machine's own"}`. Without `exists` a resource is there
    as long as the one that it belongs to.
    """

    create: Create
    update: Update | None = None
    delete: Delete | None = None
    exists: Exists | None = None
    """Whether the cloud still has it, given the provider's session and the resource."""
    reads: Reads | None = None
    """What of its inputs the cloud has otherwise than it was told, given the same: the value that is there."""
    takes: frozenset[str] = frozenset()
    """The inputs that have an effect here."""
    ignores: Mapping[str, str] = field(default_factory=dict)
    """The inputs that have none, each with the reason."""
    fixed: frozenset[str] = frozenset()
    """The inputs that cannot be updated: a change of one replaces the resource."""
    renews: frozenset[str] = frozenset()
    """The outputs that an update may change, apart from those that repeat an input."""
    named: str = "name"
    """The input that holds the physical name. If the program sets it, a replacement deletes the old one first."""

    def replacing(self, changed: Iterable[str]) -> list[str]:
        """Return which of some changed inputs replace the resource, sorted."""
        return sorted(key for key in changed if key in self.fixed or (self.update is None and key not in REMARKS))

    def change(self, order: Order, before: Resource) -> Registered:
        """Update a resource of which nothing changes that would replace it."""
        if self.update is not None:
            return self.update(order, before)
        return Registered(id=before.id, outputs={**before.outputs, **order.inputs})


def put(write: Create, **rest: Any) -> ResourceHandler:
    """Return a handler whose `create` is idempotent, and is called again to update."""
    return ResourceHandler(create=write, update=lambda order, _: write(order), **rest)
