"""Drain a Pulumi program into a graph that a test can read, and break, synchronously.

    graph = deploy(lambda: ObjectStore("data", StoreArgs(protect=True)))
    bucket = graph.one("aws:s3/bucket:Bucket")
    assert bucket.protect

Every registration has landed when `deploy` returns, so what is absent is truly absent.
Inputs are as the engine sees them: camelCase, every output resolved. What a cloud would
answer stands in one table a cloud: tests/graph_aws.py, tests/graph_gcp.py.
"""

from __future__ import annotations

import asyncio
import copy
import gc
import json
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pulumi
from pulumi.runtime import mocks, rpc

from tests import graph_aws, graph_gcp

Inputs = Mapping[str, Any]
Answer = Callable[[Inputs, str], dict[str, Any]]
"""From the inputs and the logical name to the outputs that a cloud would add; `id` is the resource's id."""

ABSENT: Final = object()
"""As a change: the input is not given at all."""

CONFIG: Final = {"aws:region": "eu-west-1", "gcp:project": "test-project", "gcp:region": "europe-west1"}


@dataclass(frozen=True, kw_only=True)
class Made:
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
    """URNs, both implied by inputs and asked for with depends_on."""
    component: bool
    ignored: tuple[str, ...] = ()
    """Inputs whose changes are left alone."""
    aliases: tuple[Any, ...] = ()
    """What it was called before, as the engine is told: see tests/urns/names.py."""
    registered: dict[str, Any] | None = None
    """What a component handed to `register_outputs`; None if it never did."""

    def document(self, name: str) -> Any:
        """An input that is JSON text, read."""
        return json.loads(self.inputs[name])


@dataclass(frozen=True, kw_only=True)
class Graph:
    """All that a program registered, in the order of URNs, and what it returned."""

    made: tuple[Made, ...]
    returned: Any = None

    def __iter__(self) -> Iterator[Made]:
        return iter(self.made)

    def of(self, type_: str) -> tuple[Made, ...]:
        return tuple(made for made in self.made if made.type == type_)

    def one(self, type_: str, name: str | None = None) -> Made:
        """The only resource of a type, or the only one of that name. Anything else is an `AssertionError`."""
        found = [made for made in self.of(type_) if name in (None, made.name)]
        assert len(found) == 1, f"{len(found)} of {type_} {name or ''}: {[made.name for made in self.of(type_)]}"
        return found[0]

    def inside(self, component: Made) -> tuple[Made, ...]:
        """Everything below a component, at any depth."""
        below: set[str] = {component.urn}
        while more := {made.urn for made in self.made if made.parent in below} - below:
            below |= more
        return tuple(made for made in self.made if made.urn in below and made is not component)

    def owner(self, made: Made) -> Made | None:
        """The component that a resource stands in."""
        return next((other for other in self.made if other.urn == made.parent), None)

    def mutated(self, type_: str, name: str | None = None, /, **changes: Any) -> Graph:
        """The same graph with some inputs of one resource changed.

        A change is the new value, `ABSENT`, or a function from the old value to the new one.
        One that changes nothing is an `AssertionError`: a broken graph must be broken.
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
        """The same graph, one resource less."""
        gone = self.one(type_, name)
        return replace(self, made=tuple(made for made in self.made if made is not gone))

    def swapped(self, old: Made, new: Made) -> Graph:
        """The same graph with `new` in the place of `old`."""
        assert any(made is old for made in self.made), f"{old.urn} is not in this graph"
        assert new != old, f"nothing of {old.urn} was changed"
        return replace(self, made=tuple(new if made is old else made for made in self.made))

    def added(self, *more: Made) -> Graph:
        return replace(self, made=(*self.made, *more))


def rewritten(change: Callable[[Any], Any]) -> Callable[[str], str]:
    """A change of an input that is JSON text: `change` edits the document in place, or returns another."""

    def edit(text: str) -> str:
        document = json.loads(text)
        changed = change(document)
        return json.dumps(document if changed is None else changed)

    return edit


@dataclass(frozen=True, kw_only=True)
class Recorder(mocks.Mocks):
    """Answers as a cloud would: the inputs, what the table of the type adds, and an id."""

    outputs: Mapping[str, Answer] = field(default_factory=lambda: {**graph_aws.OUTPUTS, **graph_gcp.OUTPUTS})
    calls: Mapping[str, dict[str, Any]] = field(default_factory=lambda: {**graph_aws.CALLS, **graph_gcp.CALLS})

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        added = dict(self.outputs[args.typ](args.inputs, args.name)) if args.typ in self.outputs else {}
        id_ = added.pop("id", f"{args.name}-id") if args.custom else None
        return id_, {**args.inputs, **added}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        return self.calls[args.token], []


class _Monitor(mocks.MockMonitor):
    """Keeps what the mocks are not told: parents, options, and the outputs of components."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self.made: dict[str, Made] = {}
        self.registered: dict[str, dict[str, Any]] = {}
        self.twice: list[str] = []

    def RegisterResource(self, request: Any) -> Any:
        response = super().RegisterResource(request)
        if request.type == "pulumi:pulumi:Stack":
            return response
        if response.urn in self.made:
            self.twice.append(response.urn)
        self.made[response.urn] = Made(
            type=request.type,
            name=request.name,
            urn=response.urn,
            parent="" if "pulumi:pulumi:Stack::" in request.parent else request.parent,
            inputs=rpc.deserialize_properties(request.object),
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
) -> Graph:
    """Run a program against the recorder and wait until every registration has landed.

    An error of the program, or of anything it started, is raised here.
    """
    monitor = _Monitor(recorder or Recorder())
    returned: list[Any] = []

    def run() -> pulumi.Output[Any]:
        result = program()
        outputs = result if isinstance(result, (dict, list, tuple, pulumi.Output)) else None
        return pulumi.Output.from_input(outputs).apply(lambda value: returned.append(value or result))

    with _event_loop():
        pulumi.runtime.set_all_config({**CONFIG, **(config or {})})
        pulumi.runtime.set_mocks(monitor.mocks, project="serverless-ml", stack=stack, preview=False, monitor=monitor)
        mocks.test(run)()
    assert not monitor.twice, f"two resources of one name: {', '.join(monitor.twice)}"
    made = [replace(made, registered=monitor.registered.get(urn)) for urn, made in sorted(monitor.made.items())]
    return Graph(made=tuple(made), returned=returned[0] if returned else None)


@contextmanager
def _event_loop() -> Generator[None]:
    """A loop of the program's own.

    The first error of a program is raised by `deploy`; those that follow from it are not
    reported again, from wherever the garbage collector happens to find them. Which waits: a program
    makes many objects and throws few away, and looking through them is half of the time that it takes.
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
