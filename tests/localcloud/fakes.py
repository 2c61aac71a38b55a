"""A cloud that keeps its resources in a list, for tests of the engine alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Order, Resource, ResourceHandler, put

LAMP, WIRE, PLUG, FOG = "fake:home/lamp:Lamp", "fake:home/wire:Wire", "fake:home/plug:Plug", "fake:home/fog:Fog"


@dataclass
class FakeCloud:
    """Lamps are updated, except for their shape; wires are replaced; plugs are overwritten; fog is only accepted."""

    session: Any = None
    did: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    @property
    def handlers(self) -> Mapping[str, ResourceHandler]:
        return {
            LAMP: ResourceHandler(
                create=self._create,
                update=self._update,
                delete=self._delete,
                takes=frozenset({"colour", "shape", "name"}),
                ignores={"smell": "lamps have none"},
                fixed=frozenset({"shape"}),
            ),
            WIRE: ResourceHandler(create=self._create, delete=self._delete, takes=frozenset({"length", "name"})),
            PLUG: put(self._create, takes=frozenset({"volts"}), ignores={"volts.phase": "there is one"}),
        }

    @property
    def absent(self) -> Mapping[str, str]:
        return {FOG: "too thin"}

    def call(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"fake:index/double:double": {"result": args["number"] * 2}}[token]

    def _create(self, order: Order) -> Registered:
        if order.declared.name in self.broken:
            raise ValueError("the fuse is blown")
        name = order.name()
        self.did.append(f"create {name}")
        return Registered(id=name, outputs={**order.inputs, "name": name})

    def _update(self, order: Order, before: Resource) -> Registered:
        self.did.append(f"update {before.id}")
        return Registered(id=before.id, outputs={**before.outputs, **order.inputs})

    def _delete(self, _: Any, resource: Resource) -> None:
        self.did.append(f"delete {resource.id}")


class Thing(pulumi.CustomResource):
    """A resource of any type, with any inputs."""

    name: pulumi.Output[str]

    def __init__(self, kind: str, logical: str, inputs: Mapping[str, Any], depends_on: Any = None) -> None:
        opts = pulumi.ResourceOptions(depends_on=depends_on)
        super().__init__(kind, logical, {"name": None, **inputs}, opts)
