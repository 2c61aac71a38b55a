"""Drain a Pulumi program into a graph that a test can read, and break, synchronously.

    graph = deploy(lambda: ObjectStore("data", StoreArgs(keep=Keep.PROTECTED)))
    bucket = graph.one("aws:s3/bucket:Bucket")
    assert bucket.protect

Every registration has landed when `deploy` returns, so what is absent is truly absent.
Inputs are as the engine sees them: camelCase, every output resolved. What a cloud would
answer is in one table for each cloud: tests/graph_aws.py, tests/graph_gcp.py.
"""

from __future__ import annotations

import asyncio
import copy
import gc
import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import pulumi
from pulumi.runtime import mocks, rpc
from pulumi.runtime import resource as registration
from pulumi.runtime.proto import source_pb2

from localcloud.engine.urn import STACK_TYPE, urn_of
from tests import graph_aws, graph_gcp

Inputs = Mapping[str, Any]
Answer = Callable[[Inputs, str], dict[str, Any]]
"""From the inputs and the logical name to the outputs that a cloud would add; `id` is the resource's id."""

ABSENT: Final = object()
"""A change that leaves the input out."""

CONFIG: Final = {"aws:region": "eu-west-1", "gcp:project": "test-project", "gcp:region": "europe-west1"}


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One registered resource."""

    type: str
    name: str
    urn: str
    parent: str
    """The URN of its parent; "" for a child of the stack."""
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    protect: bool
    retain: bool
    dependencies: tuple[str, ...]
    """URNs, both of inputs and of depends_on."""
    component: bool
    ignored: tuple[str, ...] = ()
    """Inputs whose changes are left alone."""
    aliases: tuple[Any, ...] = ()
    """Its names from before, as the engine gets them: see tests/urns/names.py."""
    secret: frozenset[str] = frozenset()
    """Inputs that the state keeps encrypted."""
    registered: dict[str, Any] | None = None
    """The outputs that a component passed to `register_outputs`; None if it never did."""

    def document(self, name: str) -> Any:
        """Return the value of an input that is JSON text."""
        return json.loads(self.inputs[name])


@dataclass(frozen=True, kw_only=True)
class Graph:
    """All resources that a program registered, in the order of their URNs, and what it returned."""

    resources: tuple[Resource, ...]
    returned: Any = None

    @cached_property
    def _by_type(self) -> Mapping[str, tuple[Resource, ...]]:
        """The resources of each type: rules ask for them hundreds of times a graph."""
        by_type: dict[str, list[Resource]] = {}
        for resource in self.resources:
            by_type.setdefault(resource.type, []).append(resource)
        return {type_: tuple(resources) for type_, resources in by_type.items()}

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources)

    def of(self, type_: str) -> tuple[Resource, ...]:
        """Return the resources of a type."""
        return self._by_type.get(type_, ())

    def one(self, type_: str, name: str | None = None) -> Resource:
        """Return the only resource of a type, or of that type and name. Raise `AssertionError` for none or several."""
        matches = [resource for resource in self.of(type_) if name in (None, resource.name)]
        assert len(matches) == 1, (
            f"{len(matches)} of {type_} {name or ''}: {[resource.name for resource in self.of(type_)]}"
        )
        return matches[0]

    def inside(self, component: Resource) -> tuple[Resource, ...]:
        """Return every resource below a component, at any depth."""
        below: set[str] = {component.urn}
        while more := {resource.urn for resource in self.resources if resource.parent in below} - below:
            below |= more
        return tuple(resource for resource in self.resources if resource.urn in below and resource is not component)

    def owner(self, resource: Resource) -> Resource | None:
        """Return the component that a resource is a child of, if any."""
        return next((other for other in self.resources if other.urn == resource.parent), None)

    def mutated(self, type_: str, name: str | None = None, /, **changes: Any) -> Graph:
        """Return the graph with some inputs of one resource changed.

        A change is the new value, `ABSENT`, or a function from the old value to the new one. One that
        changes nothing is an `AssertionError`: a broken graph must be broken.
        """
        old = self.one(type_, name)
        inputs = copy.deepcopy(old.inputs)
        for key, change in changes.items():
            value = change(copy.deepcopy(inputs.get(key))) if callable(change) else change
            if value is ABSENT:
                inputs.pop(key, None)
            else:
                inputs[key] = value
        assert inputs != old.inputs, f"nothing of {old.urn} was changed"
        return self.swapped(old, replace(old, inputs=inputs))

    def without(self, type_: str, name: str | None = None, /) -> Graph:
        """Return the graph without one resource."""
        gone = self.one(type_, name)
        return replace(self, resources=tuple(resource for resource in self.resources if resource is not gone))

    def swapped(self, old: Resource, new: Resource) -> Graph:
        """Return the graph with `new` in the place of `old`."""
        assert any(resource is old for resource in self.resources), f"{old.urn} is not in this graph"
        assert new != old, f"nothing of {old.urn} was changed"
        return replace(self, resources=tuple(new if resource is old else resource for resource in self.resources))

    def added(self, *more: Resource) -> Graph:
        """Return the graph with more resources."""
        return replace(self, resources=(*self.resources, *more))


def rewritten(change: Callable[[Any], Any]) -> Callable[[str], str]:
    """Return a change of an input that is JSON text: `change` edits the document in place, or returns another."""

    def edit(text: str) -> str:
        document = json.loads(text)
        changed = change(document)
        return json.dumps(document if changed is None else changed)

    return edit


@dataclass(frozen=True, kw_only=True)
class Recorder(mocks.Mocks):
    """Answer as a cloud would: with the inputs, what the table of the type adds, and an id."""

    outputs: Mapping[str, Answer] = field(default_factory=lambda: {**graph_aws.OUTPUTS, **graph_gcp.OUTPUTS})
    calls: Mapping[str, dict[str, Any]] = field(default_factory=lambda: {**graph_aws.CALLS, **graph_gcp.CALLS})

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        inputs = _shown(args.inputs)
        added = dict(self.outputs[args.typ](inputs, args.name)) if args.typ in self.outputs else {}
        id_ = added.pop("id", f"{args.name}-id") if args.custom else None
        return id_, {**inputs, **added}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        return self.calls[args.token], []


def _shown(inputs: Inputs) -> dict[str, Any]:
    """Return the inputs with those that are secret as they are."""
    return {name: rpc.unwrap_rpc_secret(value) for name, value in inputs.items()}


class _Monitor(mocks.MockMonitor):
    """Keep what the mocks do not get: parents, options, and the outputs of components."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self.recorded: dict[str, Resource] = {}
        self.registered: dict[str, dict[str, Any]] = {}
        self.twice: list[str] = []

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        return urn_of(pulumi.get_stack(), pulumi.get_project(), parent, type_, name)

    def RegisterResource(self, request: Any) -> Any:
        response = super().RegisterResource(request)
        if request.type == STACK_TYPE:
            return response
        if response.urn in self.recorded:
            self.twice.append(response.urn)
        inputs = rpc.deserialize_properties(request.object)
        self.recorded[response.urn] = Resource(
            type=request.type,
            name=request.name,
            urn=response.urn,
            parent="" if f"{STACK_TYPE}::" in request.parent else request.parent,
            inputs=_shown(inputs),
            secret=frozenset(name for name, value in inputs.items() if rpc.is_rpc_secret(value)),
            outputs={**self.resources[response.urn].state, "id": response.id},
            protect=request.protect,
            retain=request.retainOnDelete,
            dependencies=tuple(sorted(request.dependencies)),
            component=not request.custom,
            ignored=tuple(request.ignoreChanges),
            aliases=tuple(request.aliases),
        )
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:
        self.registered[request.urn] = rpc.deserialize_properties(request.outputs)
        return super().RegisterResourceOutputs(request)


def deploy(
    program: Callable[[], Any],
    *,
    config: Mapping[str, str] | None = None,
    recorder: Recorder | None = None,
    stack: str = "test",
    project: str = "serverless-ml",
    secret_keys: Sequence[str] = (),
) -> Graph:
    """Run a program against the recorder, wait until every registration has landed, and return the graph.

    An error of the program, or of anything it started, is raised here.
    """
    monitor = _Monitor(recorder or Recorder())
    returned: list[Any] = []

    def run() -> pulumi.Output[Any]:
        result = program()
        outputs = result if isinstance(result, (dict, list, tuple, pulumi.Output)) else None
        return pulumi.Output.from_input(outputs).apply(lambda value: returned.append(value or result))

    with _event_loop(), _no_stack_traces():
        pulumi.runtime.set_all_config({**CONFIG, **(config or {})}, list(secret_keys))
        pulumi.runtime.set_mocks(monitor.mocks, project=project, stack=stack, preview=False, monitor=monitor)
        mocks.test(run)()
    assert not monitor.twice, f"two resources of one name: {', '.join(monitor.twice)}"
    resources = [
        replace(resource, registered=monitor.registered.get(urn)) for urn, resource in sorted(monitor.recorded.items())
    ]
    return Graph(resources=tuple(resources), returned=returned[0] if returned else None)


@contextmanager
def _no_stack_traces() -> Generator[None]:
    """Keep Pulumi from reading the whole stack for each resource, so that an engine can say where it was declared.

    Nothing here asks, and below a test's frames it is almost a third of drawing a graph.
    """
    reads = registration._get_stack_trace
    setattr(registration, reads.__name__, source_pb2.StackTrace)
    try:
        yield
    finally:
        setattr(registration, reads.__name__, reads)


@contextmanager
def _event_loop() -> Generator[None]:
    """Give a program an event loop of its own.

    The first error of a program is raised by `deploy`; those that follow from it are not reported
    again, from wherever the garbage collector happens to find them. The collector is off meanwhile: a
    program makes many objects and drops few, and looking through them is half of its time.
    """
    gc.disable()
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _loop, _context: None)
    asyncio.set_event_loop(loop)
    try:
        yield
    finally:
        loop.close()
        asyncio.set_event_loop(None)
        gc.enable()
