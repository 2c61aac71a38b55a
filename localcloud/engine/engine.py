"""Creates what a program declares, and keeps the state from one evaluation to the next.

The part that Pulumi's engine plays, in this process:

```python
engine = Engine(cloud)
engine.begin()
outputs = evaluate(stack, engine, Path("infra"))  # calls engine.register for every resource
changes = engine.finish()                         # deletes what is no longer declared
```
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from localcloud.engine.cloud import Provider
from localcloud.engine.fingerprint import fingerprint
from localcloud.engine.program import Declared, Registered
from localcloud.engine.resource_handler import REMARKS, Order, Resource, ResourceHandler

SILENT = REMARKS | {"region", "description"}
"""Inputs that are never reported as not emulated: they address the provider, have no effect on a stack that ends
with its process, or say whose a resource is."""


class ResourceFailed(pulumi.RunError):
    """A resource could not be created; the message names its type, its name, its URN and the cause."""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What one evaluation changed: URNs, sorted. False when it changed nothing."""

    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.created or self.updated or self.replaced or self.deleted)


@dataclass
class _Journal:
    """What the evaluation under way has done so far."""

    current: dict[str, Resource] = field(default_factory=dict)
    """Every resource that the program has registered, by URN."""
    changes: dict[str, list[str]] = field(default_factory=dict)
    """URNs by the field of `Changes` that they belong to."""
    replaced: list[Resource] = field(default_factory=list)
    """Old resources, to be deleted once nothing refers to them any more."""


class Engine:
    """A registrar that creates, updates, replaces and deletes resources.

    One evaluation is `begin`, the program's registrations, and `finish`. An evaluation that
    fails in between keeps what it created, and the next one continues from there.
    """

    def __init__(self, cloud: Provider, progress: Callable[[str], None] = lambda _: None) -> None:
        self._cloud = cloud
        self._progress = progress
        self._lock = threading.Lock()
        self._state: dict[str, Resource] = {}
        self._journal = _Journal()
        self._skipped: dict[str, str] = {}

    @property
    def resources(self) -> tuple[Resource, ...]:
        """Everything that exists, in order of creation."""
        return tuple(self._state.values())

    @property
    def not_emulated(self) -> dict[str, str]:
        """The resource types and inputs (`type.input`) that the program uses without effect here, with reasons."""
        return dict(sorted(self._skipped.items()))

    def begin(self) -> None:
        """Begin an evaluation."""
        self._journal = _Journal()
        self._skipped = {}

    def finish(self) -> Changes:
        """Delete what the program no longer declares, newest first, and return what the evaluation changed."""
        gone = [resource for urn, resource in self._state.items() if urn not in self._journal.current]
        for resource in [*reversed(self._journal.replaced), *reversed(gone)]:
            self._delete(resource)
        for resource in gone:
            del self._state[resource.declared.urn]
        self._journal.changes["deleted"] = [resource.declared.urn for resource in gone]
        return Changes(**{kind: tuple(sorted(urns)) for kind, urns in self._journal.changes.items()})

    def register(self, declared: Declared) -> Registered:
        """Create, update, replace or keep a resource, and return its id and outputs.

        A component and a provider are accepted without a handler. Raises `ResourceFailed` when the
        cloud refuses, and for a type without a handler.
        """
        if not declared.custom or declared.type.startswith("pulumi:providers:"):
            return Registered(id=declared.name)
        try:
            kind, resource = self._resolve(declared, self._state.get(declared.urn))
        except pulumi.RunError:
            raise
        except Exception as cause:
            raise ResourceFailed(f"{declared.type} {declared.name}: {cause}\n  {declared.urn}") from cause
        with self._lock:
            self._state[declared.urn] = resource
            self._journal.current[declared.urn] = resource
            self._journal.changes.setdefault(kind, []).append(declared.urn)
            self._progress(f"{len(self._journal.current)} resources")
        return resource.registered

    def call(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the result of a provider function. Raises `pulumi.RunError` for an unknown token."""
        try:
            return self._cloud.call(token, args)
        except KeyError:
            raise pulumi.RunError(f"{token}: the local cloud has no such provider function") from None

    def _resolve(self, declared: Declared, before: Resource | None) -> tuple[str, Resource]:
        handler = handler_of(self._cloud, declared)
        self._note_not_emulated(declared, handler)
        digest = fingerprint(declared.inputs)
        if before is None:
            return "created", self._create(handler, declared, digest, 0)
        if before.fingerprint == digest:
            return "unchanged", before
        keys = declared.inputs.keys() | before.inputs.keys()
        changed = {key for key in keys if declared.inputs.get(key) != before.inputs.get(key)}
        # Where no input is another, the content of a file is.
        if handler.replacing(changed) or (handler.update is None and not changed):
            return "replaced", self._replace(handler, declared, digest, before)
        order = Order(session=self._cloud.session, declared=declared, generation=before.generation, before=before)
        registered = handler.change(order, before)
        return "updated", Resource(
            declared=declared, registered=registered, fingerprint=digest, generation=before.generation
        )

    def _create(self, handler: ResourceHandler, declared: Declared, digest: str, generation: int) -> Resource:
        order = Order(session=self._cloud.session, declared=declared, generation=generation)
        return Resource(declared=declared, registered=handler.create(order), fingerprint=digest, generation=generation)

    def _replace(self, handler: ResourceHandler, declared: Declared, digest: str, before: Resource) -> Resource:
        """Create the new one first, unless both have the same physical name."""
        if declared.inputs.get(handler.named) and declared.inputs.get(handler.named) == before.inputs.get(
            handler.named
        ):
            self._delete(before)
            return self._create(handler, declared, digest, before.generation + 1)
        resource = self._create(handler, declared, digest, before.generation + 1)
        with self._lock:
            self._journal.replaced.append(before)
        return resource

    def _delete(self, resource: Resource) -> None:
        handler = handler_of(self._cloud, resource.declared)
        if handler.delete is not None:
            handler.delete(self._cloud.session, resource)

    def _note_not_emulated(self, declared: Declared, handler: ResourceHandler) -> None:
        if declared.type in self._cloud.absent:
            skipped = {declared.type: self._cloud.absent[declared.type]}
        else:
            skipped = {
                f"{declared.type}.{key}": handler.ignores.get(key, "no effect here")
                for key in declared.inputs
                if key not in handler.takes and key not in SILENT
            } | {
                f"{declared.type}.{path}": reason
                for path, reason in handler.ignores.items()
                if "." in path and _has_value(declared.inputs, path)
            }
        with self._lock:
            self._skipped |= skipped


def handler_of(cloud: Provider, declared: Declared) -> ResourceHandler:
    """Return the handler of a resource; one that only accepts it, for a type that the cloud is known to lack.

    Raises `ResourceFailed` for a type without a handler.
    """
    if declared.type in cloud.absent:
        return ResourceHandler(create=_accept, update=_accept_change)
    try:
        return cloud.handlers[declared.type]
    except KeyError:
        raise ResourceFailed(
            f"{declared.type} {declared.name}: the local cloud has no resource handler for this type; "
            f"add one in localcloud/{declared.type.split(':')[0]}/resources/\n  {declared.urn}"
        ) from None


def _has_value(inputs: Mapping[str, Any], path: str) -> bool:
    """Return whether there is a value at a dotted path."""
    value: Any = inputs
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value is not None


def _accept(order: Order) -> Registered:
    name = order.name()
    return Registered(id=name, outputs={**order.inputs, "name": name, "arn": name})


def _accept_change(order: Order, before: Resource) -> Registered:
    return Registered(id=before.id, outputs={**before.outputs, **order.inputs})
