"""What a row of the function table says of a function: what calls it, how large it is, what it needs.

function_table.py has the rows, and function_checks.py refuses one with a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, NotRequired, TypedDict

from infra.keys import Access

LONGEST_NAME = 32
"""Cloud Run's bound: a service's name has at most 49 characters, of which 17 are `-function` and what Pulumi adds.
https://cloud.google.com/run/docs/deploying#service-name"""
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
StoreName = Literal["data", "models", "jobs", "captures"]
AnnouncingName = Literal["data", "jobs"]


@dataclass(frozen=True, kw_only=True)
class Http:
    """Routes of the API call the function. Models that scale alike share one such function: serving.py.

    The entry composes a `functions.core.api.service.Service`.
    """

    adapter: ClassVar = "http.handler"
    composes: ClassVar = "Service"


@dataclass(frozen=True, kw_only=True)
class WorkflowStep:
    """Steps of the training workflow call the function by its name. The entry composes a `Step`."""

    adapter: ClassVar = "step.handler"
    composes: ClassVar = "Step"


@dataclass(frozen=True, kw_only=True)
class NewObjects:
    """The function gets a message for every new object below some prefixes of each model, from a queue of its own.

    The entry composes a `Consumer` of keys.
    """

    adapter: ClassVar = "queue.new_objects"
    composes: ClassVar = "Consumer[str]"
    store: AnnouncingName
    prefixes: tuple[str, ...]
    arrival: str
    """The name of the arrival: a promise to every stack that has one."""


@dataclass(frozen=True, kw_only=True)
class Messages:
    """The function gets the messages of a queue of its own, each a JSON object.

    The entry composes a `Consumer` of objects.
    """

    adapter: ClassVar = "queue.messages"
    composes: ClassVar = "Consumer[dict[str, Any]]"


@dataclass(frozen=True, kw_only=True)
class Demands(Messages):
    """The function gets demands that the stack be stopped, or go on: those of a budget, and those of persons.

    The entry composes a `Consumer` of them from its environment and what of the stack can be stopped.
    """

    adapter: ClassVar = "stop.demands"
    composes: ClassVar = "Consumer[Demand]"


@dataclass(frozen=True, kw_only=True)
class OnSchedule:
    """The function is called on time with `input`, at least once each time. The entry composes a `Step`."""

    adapter: ClassVar = "step.handler"
    composes: ClassVar = "Step"
    cron: str
    """Five fields, UTC."""
    input: Mapping[str, str] = field(default_factory=dict, hash=False)


class Size(TypedDict):
    """The size of a function as its row states it, within the bounds of `infra.size.Size`."""

    memory_mb: int
    timeout_seconds: int
    concurrency: NotRequired[int | None]


Trigger = Http | WorkflowStep | NewObjects | Messages | OnSchedule


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a function may do with a store: `access` below these prefixes of each model that it serves."""

    store: StoreName
    access: Access
    prefixes: tuple[str, ...]


def reads(store: StoreName, *prefixes: str) -> Needs:
    """Return the need to read objects below these prefixes of each model."""
    return Needs(store=store, access=Access.READ, prefixes=prefixes)


def writes(store: StoreName, *prefixes: str) -> Needs:
    """Return the need to create and replace objects below these prefixes of each model."""
    return Needs(store=store, access=Access.WRITE, prefixes=prefixes)


def removes(store: StoreName, *prefixes: str) -> Needs:
    """Return the need to remove objects below these prefixes of each model, beside that to write there."""
    return Needs(store=store, access=Access.REMOVE, prefixes=prefixes)


@dataclass(frozen=True, kw_only=True)
class FunctionSpec:
    """One function, before a cloud makes it."""

    name: str
    """Its name in the stack, in `settings.functions` and in functions/requirements."""
    entry: str
    """`module:function` that composes it from its `Environment`."""
    trigger: Trigger
    size: Size
    """Its size unless the settings change it."""
    copies: int
    """The most copies of it where the settings give no concurrency: those of all rows fit into a new account."""
    needs: tuple[Needs, ...] = ()
    environment: tuple[str, ...] = ()
    """Names from `interface.variables` that it gets besides those of every function: environment.py."""
    requirements: str = ""
    """The lock in functions/requirements that it runs with; empty: the one of its own name."""
    signs: bool = False
    """Whether it signs URLs: for a while, whoever holds one may do one thing that the function may do itself."""
    model: str = ""
    """The one model that it is for; empty: it is for all that have no such function of their own."""
    one_kernel: bool = False
    """Whether OpenBLAS and numpy must compute alike on every processor of an architecture: the function trains."""

    @property
    def stops(self) -> bool:
        """Whether it stops the stack: it is there where the settings ask for it alone."""
        return isinstance(self.trigger, Demands)

    @property
    def lock(self) -> str:
        """The name of its lock, without the suffix."""
        return self.requirements or self.name

    @property
    def consumes(self) -> bool:
        """Whether it gets its work from a queue of its own."""
        return isinstance(self.trigger, (NewObjects, Messages))


def well_named(name: object) -> bool:
    """Return whether every cloud takes a name, with all that is added to it."""
    return isinstance(name, str) and len(name) <= LONGEST_NAME and NAME.fullmatch(name) is not None
