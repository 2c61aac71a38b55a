"""The difference of two graphs, as an engine would carry it out, and what of it goes further than it says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from localcloud.aws import resources as aws
from localcloud.engine.resource_handler import ResourceHandler
from localcloud.gcp import resources as gcp
from tests.graph import Graph, Resource
from tests.urns.names import names
from tests.urns.promise import LASTING

HANDLERS: Mapping[str, ResourceHandler] = {**aws.HANDLERS, **gcp.HANDLERS}
BINDINGS = ("iammember", "iampolicy", "iambinding")
"""Types, in lower case, whose resources are entries of a policy: whoever deletes one deletes all that mean the same."""


NAMED = frozenset({*LASTING, "aws:iam/role:Role"})
"""Types whose resources are told apart by their names alone: one that goes and one that comes are not the same."""


class Operation(StrEnum):
    """What is done to one resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    LEAVE = "leave"
    """It stays in the cloud, and the stack forgets it."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One operation, on the resource as it was, as it will be, or both."""

    operation: Operation
    before: Resource | None
    after: Resource | None

    @property
    def resource(self) -> Resource:
        """The resource as it will be, or as it was where it goes."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def name(self) -> str:
        """Its logical name."""
        return self.resource.name


@dataclass(frozen=True)
class Drawn:
    """A graph that takes part in many differences."""

    graph: Graph

    @cached_property
    def names(self) -> Mapping[str, tuple[str, ...]]:
        """The names of its resources in a stack's state, now and before."""
        return names(self.graph)

    @cached_property
    def meanings(self) -> Mapping[str, str]:
        """What each resource says to the cloud, by URN."""
        return {resource.urn: meaning(resource) for resource in self.graph}


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What an update from one graph to another does."""

    before: Drawn
    after: Drawn

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every operation but those on components, which are nothing in a cloud."""
        known = {keys[0]: urn for urn, keys in self.before.names.items()}
        old = {resource.urn: resource for resource in self.before.graph if not resource.component}
        steps, keys_of = [], self.after.names
        for resource in self.after.graph:
            if resource.component:
                continue
            urns = (known.get(key) for key in keys_of[resource.urn])
            was = next((old.pop(urn) for urn in urns if urn in old), None)
            if operation := _operation(was, resource):
                steps.append(Step(operation=operation, before=was, after=resource))
        gone = (
            Step(operation=Operation.LEAVE if was.retain else Operation.DELETE, before=was, after=None)
            for was in old.values()
        )
        return (*steps, *gone)

    def of(self, *operations: Operation) -> Iterator[Step]:
        """Yield the steps that are one of these operations."""
        return (step for step in self.steps if step.operation in operations)


def _operation(was: Resource | None, now: Resource) -> Operation | None:
    if was is None:
        return Operation.CREATE
    # Under an alias a resource keeps the physical name that it was made with; the graph knows only the new one.
    renamed = (_component(now), _component(was))
    keys = was.inputs.keys() | now.inputs.keys()
    changed = {key for key in keys if _text(was.inputs.get(key)) != _text(now.inputs.get(key)).replace(*renamed)}
    if not changed - set(now.ignored) and was.type == now.type:
        return None
    return Operation.REPLACE if was.type != now.type or _is_fixed(now.type, changed) else Operation.UPDATE


def _component(resource: Resource) -> str:
    return resource.parent.rpartition("::")[2] or resource.name


def _is_fixed(type_: str, changed: Set[str]) -> bool:
    """Whether a change of one of these inputs replaces a resource: as its provider says where that matters most."""
    if type_ in LASTING:
        return not changed.isdisjoint(LASTING[type_][1])
    handler = HANDLERS.get(type_)
    return handler is not None and bool(handler.replacing(changed))


def for_nothing(difference: Difference) -> Iterator[str]:
    """Yield a sentence for each resource that is made anew although one that means the same goes."""
    before, after = difference.before.meanings, difference.after.meanings
    gone: dict[str, str] = {
        before[step.before.urn]: step.before.name for step in difference.of(Operation.DELETE) if step.before
    }
    for step in difference.of(Operation.CREATE):
        if step.resource.type in NAMED:
            continue
        if (name := gone.get(after[step.resource.urn])) is not None:
            yield f"{name} is deleted, and {step.name}, which means the same, is created"


def lost_bindings(difference: Difference) -> Iterator[str]:
    """Yield a sentence for each entry of a policy that the update removes and the stack still needs.

    A policy is a set. An engine creates first, which adds nothing where the entry is there, and deletes afterwards.
    """
    before, after = difference.before.meanings, difference.after.meanings
    gone = {before[step.before.urn] for step in difference.of(Operation.DELETE, Operation.REPLACE) if step.before}
    for resource in difference.after.graph:
        if is_binding(resource) and after[resource.urn] in gone:
            yield f"{resource.name}: the policy no longer has it"


def lost_data(difference: Difference) -> Iterator[str]:
    """Yield a sentence for each resource that holds data or logs, or is known outside, and does not survive."""
    for step in difference.of(Operation.DELETE, Operation.REPLACE):
        assert step.before is not None
        if step.before.type in LASTING:
            yield f"{step.before.name} {LASTING[step.before.type][0]}, and would be {step.operation}d"


def changed_outputs(difference: Difference) -> Iterator[str]:
    """Yield the path of each output of the stack that is another afterwards, or is gone.

    What is said of a function goes with the function, as an alarm does with what it watches; which of them answers for
    a model is no address, and what a stack costs is as another as the stack is.
    """
    returned, changed = difference.before.graph.returned, difference.after.graph.returned
    gone = {f"functions.{name}." for name in returned.get("functions", {}).keys() - changed.get("functions", {}).keys()}
    gone |= {"estimate.", *(f"models.{name}.function" for name in returned.get("models", {}))}
    before, after = _flat(returned), _flat(changed)
    gone |= {path for path in before.keys() - after.keys() if path.startswith("alarms.")}
    return (path for path, value in before.items() if after.get(path) != value and not path.startswith(tuple(gone)))


def meaning(resource: Resource) -> str:
    """Return what a resource says to the cloud, whatever its logical name is."""
    return _text([resource.type, resource.inputs])


def is_binding(resource: Resource) -> bool:
    """Whether it is an entry of a policy."""
    return resource.type.rpartition(":")[2].lower().endswith(BINDINGS)


def _text(value: Any) -> str:
    """Return a value as text; of a file to upload, its path."""
    return json.dumps(value, sort_keys=True, default=vars)


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {path: value}
    return {
        inner: found for key, part in value.items() for inner, found in _flat(part, f"{path}.{key}".strip(".")).items()
    }
