"""Makes what a program declares, and keeps account of it from one evaluation to the next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from localcloud.engine.cloud import Provider
from localcloud.engine.fingerprint import fingerprint
from localcloud.engine.program import Declared, Registered
from localcloud.engine.resource_handler import Made, Order, ResourceHandler

SILENT = frozenset({"region", "forceDestroy", "skipDestroy", "forceDetachPolicies"})
"""Inputs that speak to the provider and not to the cloud, or that a stack which ends with its process cannot break."""


class ResourceFailed(pulumi.RunError):
    """A resource could not be made; the message names its type, its name, its URN and the cause."""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What one evaluation did, as URNs."""

    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.created or self.updated or self.replaced or self.deleted)


@dataclass
class _Journal:
    kept: dict[str, Made] = field(default_factory=dict)
    done: dict[str, list[str]] = field(default_factory=dict)
    leftover: list[Made] = field(default_factory=list)
    """Replaced resources, to be removed once nothing points to them any more."""


class Engine:
    """A registrar that creates, updates, replaces and deletes.

    One evaluation is `begin`, then the program's registrations, then `finish`. An
    evaluation that fails in between keeps what it made, so that the next one goes on
    from there.
    """

    def __init__(self, cloud: Provider, progress: Callable[[str], None] = lambda _: None) -> None:
        self._cloud = cloud
        self._progress = progress
        self._lock = threading.Lock()
        self._state: dict[str, Made] = {}
        self._journal = _Journal()
        self._skipped: dict[str, str] = {}

    @property
    def resources(self) -> tuple[Made, ...]:
        """Everything that exists, in order of creation."""
        return tuple(self._state.values())

    @property
    def not_emulated(self) -> dict[str, str]:
        """Types and `type.property`s that the program uses and that do nothing here, each with the reason."""
        return dict(sorted(self._skipped.items()))

    def begin(self) -> None:
        self._journal = _Journal()
        self._skipped = {}

    def finish(self) -> Changes:
        """Delete what the program no longer declares; what was made last goes first."""
        gone = [made for urn, made in self._state.items() if urn not in self._journal.kept]
        for made in [*reversed(self._journal.leftover), *reversed(gone)]:
            self._delete(made)
        for made in gone:
            del self._state[made.declared.urn]
        self._journal.done["deleted"] = [made.declared.urn for made in gone]
        return Changes(**{kind: tuple(sorted(urns)) for kind, urns in self._journal.done.items()})

    # What the program asks ------------------------------------------------------------------

    def register(self, declared: Declared) -> Registered:
        if not declared.custom or declared.type.startswith("pulumi:providers:"):
            return Registered(id=declared.name)
        try:
            kind, made = self._resolve(declared, self._state.get(declared.urn))
        except pulumi.RunError:
            raise
        except Exception as cause:
            raise ResourceFailed(f"{declared.type} {declared.name}: {cause}\n  {declared.urn}") from cause
        with self._lock:
            self._state[declared.urn] = made
            self._journal.kept[declared.urn] = made
            self._journal.done.setdefault(kind, []).append(declared.urn)
            self._progress(f"{len(self._journal.kept)} resources")
        return made.registered

    def call(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return self._cloud.call(token, args)
        except KeyError:
            raise pulumi.RunError(f"{token}: the local cloud does not answer this function") from None

    def _resolve(self, declared: Declared, before: Made | None) -> tuple[str, Made]:
        handler = self._handler(declared)
        self._note(declared, handler)
        mark = fingerprint(declared.inputs)
        if before is None:
            return "created", self._create(handler, declared, mark, 0)
        if before.fingerprint == mark:
            return "unchanged", before
        if handler.update is None or any(declared.inputs.get(key) != before.inputs.get(key) for key in handler.fixed):
            return "replaced", self._replace(handler, declared, mark, before)
        order = Order(session=self._cloud.session, declared=declared, generation=before.generation)
        registered = handler.update(order, before)
        return "updated", Made(declared=declared, registered=registered, fingerprint=mark, generation=before.generation)

    def _create(self, handler: ResourceHandler, declared: Declared, mark: str, generation: int) -> Made:
        order = Order(session=self._cloud.session, declared=declared, generation=generation)
        return Made(declared=declared, registered=handler.create(order), fingerprint=mark, generation=generation)

    def _replace(self, handler: ResourceHandler, declared: Declared, mark: str, before: Made) -> Made:
        """The new one first, unless both would bear the same name."""
        if declared.inputs.get(handler.named) and declared.inputs.get(handler.named) == before.inputs.get(
            handler.named
        ):
            self._delete(before)
            return self._create(handler, declared, mark, before.generation + 1)
        made = self._create(handler, declared, mark, before.generation + 1)
        with self._lock:
            self._journal.leftover.append(before)
        return made

    def _delete(self, made: Made) -> None:
        handler = self._handler(made.declared)
        if handler.delete is not None:
            handler.delete(self._cloud.session, made)

    def _handler(self, declared: Declared) -> ResourceHandler:
        if declared.type in self._cloud.absent:
            return ResourceHandler(create=_accept)
        try:
            return self._cloud.handlers[declared.type]
        except KeyError:
            raise ResourceFailed(
                f"{declared.type} {declared.name}: the local cloud has no hand for this type; "
                f"add one in localcloud/{declared.type.split(':')[0]}/\n  {declared.urn}"
            ) from None

    def _note(self, declared: Declared, handler: ResourceHandler) -> None:
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
                if "." in path and _given(declared.inputs, path)
            }
        with self._lock:
            self._skipped |= skipped


def _given(inputs: Mapping[str, Any], path: str) -> bool:
    """Whether there is a value at a dotted path."""
    found: Any = inputs
    for key in path.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found is not None


def _accept(order: Order) -> Registered:
    name = order.name()
    return Registered(id=name, outputs={**order.inputs, "name": name, "arn": name})
