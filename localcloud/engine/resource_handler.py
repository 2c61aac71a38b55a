"""What does the work of a provider: for each type of resource, one hand."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.engine.program import Declared, Registered


@dataclass(frozen=True, kw_only=True)
class Made:
    """A resource that exists: what was asked, what came of it, and how often it was replaced."""

    declared: Declared
    registered: Registered
    fingerprint: str
    """Of the inputs, with the content of files in place of their paths."""
    generation: int = 0

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
    """One resource to create or to change, for a hand that speaks to `session`."""

    session: Any
    declared: Declared
    generation: int = 0

    @property
    def inputs(self) -> Mapping[str, Any]:
        return self.declared.inputs

    def name(self, *, key: str = "name", limit: int = 64, suffix: str = "") -> str:
        """The physical name: the one the program gives, or the logical one with seven more characters.

        As Pulumi does, except that the seven follow from the URN: the same resource gets
        the same name in every local stack.
        """
        if given := self.inputs.get(key):
            return str(given)
        unique = hashlib.sha256(f"{self.declared.urn} {self.generation}".encode()).hexdigest()[:7]
        prefix = self.inputs.get(f"{key}Prefix") or f"{self.declared.name}-"
        return f"{prefix[: limit - len(unique) - len(suffix)]}{unique}{suffix}"


Create = Callable[[Order], Registered]
Update = Callable[[Order, Made], Registered]
Delete = Callable[[Any, Made], None]


@dataclass(frozen=True, kw_only=True)
class ResourceHandler:
    """How one type of resource is really made.

    Without `update` a changed resource is replaced. Without `delete` it goes when what it
    belongs to goes. An input that is neither in `takes` nor in `silent` is reported as not
    emulated, with the reason from `ignores` where there is one; so is a part of an input that
    `ignores` names by a dotted path, wherever the rest of it is taken.
    """

    create: Create
    update: Update | None = None
    delete: Delete | None = None
    takes: frozenset[str] = frozenset()
    ignores: Mapping[str, str] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()
    """Inputs that cannot change in place: a change of one replaces the resource."""
    named: str = "name"
    """The input that holds the physical name; with it given, the old one goes before the new one comes."""


def put(write: Create, **rest: Any) -> ResourceHandler:
    """A hand whose creation may be repeated: a change is the same call again."""
    return ResourceHandler(create=write, update=lambda order, _: write(order), **rest)
