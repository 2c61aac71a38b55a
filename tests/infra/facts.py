"""What a graph says, in words of no cloud: each cloud reads its own types into these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.vocabulary import Cloud
from tests.graph import Graph, Resource


@dataclass(frozen=True, kw_only=True)
class StoreFacts:
    name: str
    private: bool
    encrypted: bool
    versioned: bool
    noncurrent_days: int | None
    upload_days: int | None
    expiry: Mapping[str, int]
    protected: bool
    emptied_on_destroy: bool


@dataclass(frozen=True, kw_only=True)
class QueueFacts:
    name: str
    attempts: int | None
    """None: no dead letters."""
    dead_letter_seconds: int
    """How long dead letters are kept; 0 if nothing keeps them."""
    hidden_seconds: int


@dataclass(frozen=True, kw_only=True)
class FunctionFacts:
    name: str
    identity: str | None
    concurrency: int | None
    timeout_seconds: int
    memory_mb: int
    runtime: str
    ref: str
    """What callers name."""
    code: str
    """The name of the object that it runs."""
    uploads: tuple[str, ...]
    """The names of the objects uploaded for it."""
    log_days: int | None


@dataclass(frozen=True, kw_only=True)
class ApiFacts:
    authorised: Mapping[str, bool]
    """Each route, as `METHOD /path`."""
    description: str
    requests_a_second: float | None
    timeout_seconds: float | None
    log_days: int | None


@dataclass(frozen=True, kw_only=True)
class WorkflowFacts:
    name: str
    problems: tuple[str, ...]
    """What the cloud's own lint finds."""
    call_seconds: Mapping[str, int]
    """The shortest that a call of each function may take, by what the cloud calls the function."""
    may_call: frozenset[str]
    seconds: int
    """How long an execution may take in all."""
    parallelism: int | None
    log_days: int | None
    logs_data: bool


@dataclass(frozen=True, kw_only=True)
class TriggerFacts:
    """What starts a workflow, or is made a message."""

    name: str
    on: tuple[str, ...]
    """The bucket and each of `sample.PROBES` that is an arrival, or the fields of a cron."""
    target: str
    input: str
    """What a workflow is started with; empty for a message, and for a workflow that reads the event itself."""
    allowed: bool
    """Whether every permission on the way is there."""
    retried: bool


@dataclass(frozen=True, kw_only=True)
class UploadFacts:
    """A local file in a store."""

    name: str
    bucket: str
    key: str
    file: str
    after: frozenset[str]
    """The components that are complete before it."""


@dataclass(frozen=True, kw_only=True)
class Permission:
    """One of `sample.PROBES` in one bucket, that one function may get, put, or list the folder of."""

    function: str
    access: str
    bucket: str
    key: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    stores: tuple[StoreFacts, ...]
    queues: tuple[QueueFacts, ...]
    functions: tuple[FunctionFacts, ...]
    apis: tuple[ApiFacts, ...]
    workflows: tuple[WorkflowFacts, ...]
    arrivals: tuple[TriggerFacts, ...]
    schedules: tuple[TriggerFacts, ...]
    uploads: tuple[UploadFacts, ...]
    permissions: frozenset[Permission]
    boundless: tuple[str, ...]
    """Whatever is allowed to everybody, on everything, or with a wildcard, without a written reason."""


Breakage = Callable[[Graph], Graph]


@dataclass(frozen=True, kw_only=True)
class Reader:
    """How one cloud's graph is read, and how each rule is broken in it."""

    cloud: Cloud
    read: Callable[..., Facts]
    """Takes the graph, and other probes than `sample.PROBES` where another one's permissions are read."""
    upload: str
    """The type of an uploaded object."""
    function: str
    breakages: Mapping[tuple[str, ...], tuple[Breakage, ...]]
    """By the names of the rules that each breaks."""
    unbreakable: Mapping[str, str] = field(default_factory=dict)
    """Rules that this cloud keeps by itself, with the vendor's sentence."""

    def __str__(self) -> str:
        return self.cloud.name


def components(graph: Graph, thing: str) -> list[Resource]:
    return [resource for resource in graph if resource.component and resource.type.endswith(f":{thing}")]


def within(graph: Graph, component: Resource, type_: str) -> list[Resource]:
    return [resource for resource in graph.inside(component) if resource.type == type_]


def upload(graph: Graph, component: Resource, type_: str, key: str) -> UploadFacts:
    """Return the facts of an upload: clouds differ only in the name of one input."""
    (resource,) = within(graph, component, type_)
    before = {*component.dependencies, *resource.dependencies}
    parts = {other.name: [part.urn for part in graph.inside(other) if not part.component] for other in graph}
    return UploadFacts(
        name=component.name,
        bucket=resource.inputs["bucket"],
        key=resource.inputs[key],
        file=str(resource.inputs["source"].path),
        after=frozenset(name for name, urns in parts.items() if urns and before.issuperset(urns)),
    )


def value(inputs: Mapping[str, Any], *path: str | int) -> Any:
    """Return the value at a path, or None if anything on the way is not there."""
    current: Any = inputs
    for step in path:
        try:
            current = current[step]
        except (KeyError, IndexError, TypeError):
            return None
    return current


def first(resources: list[Resource], *path: str | int) -> Any:
    """Return the value at a path of the only resource of its kind; None if there is not exactly one."""
    return value(resources[0].inputs, *path) if len(resources) == 1 else None
