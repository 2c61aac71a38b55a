"""Runs the unmodified Pulumi program in this process, with every registration handed to one place.

This is what the CLI's own language host does, without the CLI: the monitor that the
program talks to is `Registrar`'s answer instead of a provider's. It may be done any
number of times in one process; each run has its own event loop and context.
"""

from __future__ import annotations

import asyncio
import contextvars
import runpy
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pulumi
from pulumi.runtime import mocks, rpc, settings
from pulumi.runtime.config import set_all_config
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.stack import run_in_stack

from localcloud.engine.stack_file import StackFile

STACK_TYPE = "pulumi:pulumi:Stack"
THREADS = 16


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One resource as the program declares it, every input known."""

    urn: str
    type: str
    name: str
    parent: str
    """The parent's URN; empty for the stack itself."""
    custom: bool
    """False for a component, which only groups others."""
    inputs: Mapping[str, Any]
    """By the provider's own (camelCase) names; assets and archives as Pulumi's objects."""
    depends_on: tuple[str, ...] = ()
    """URNs of the resources whose outputs are among the inputs."""


@dataclass(frozen=True, kw_only=True)
class Registered:
    id: str
    outputs: Mapping[str, Any] = field(default_factory=dict)


class Registrar(Protocol):
    """What answers the program. Called from several threads at once."""

    def register(self, declared: Declared) -> Registered: ...

    def call(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        """A provider function such as `aws:index/getRegion:getRegion`."""
        ...


def evaluate(
    stack: StackFile, registrar: Registrar, program: Path | Callable[[], object], *, dry_run: bool = False
) -> dict[str, Any]:
    """Run the program for a stack and return its outputs, secrets unwrapped.

    `program` is the folder that holds `__main__.py`, or a function that declares resources.
    `dry_run` tells the program that it is only previewed, as `pulumi preview` does.
    Whatever the program or the registrar raises is raised here.
    """
    monitor = _Monitor(registrar)
    box: list[BaseException] = []

    def run() -> None:
        try:
            _run(stack, monitor, program, dry_run=dry_run)
        except BaseException as error:
            box.append(error)

    thread = threading.Thread(target=contextvars.Context().run, args=(run,), name="program", daemon=True)
    thread.start()
    while thread.is_alive():
        # A bare join would hold back Ctrl-C until the program has ended.
        thread.join(0.1)
    if box:
        raise box[0]
    return monitor.exports


def _run(stack: StackFile, monitor: _Monitor, program: Path | Callable[[], object], *, dry_run: bool) -> None:
    settings.configure(
        settings.Settings(
            project=stack.project,
            stack=stack.name,
            monitor=monitor,
            engine=mocks.MockEngine(None),
            dry_run=dry_run,
            organization="organization",
            root_directory=str(stack.root),
        )
    )
    set_all_config(dict(stack.config))

    def body() -> None:
        program() if callable(program) else runpy.run_path(str(program), run_name="__main__")

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="resource") as pool:
        loop.set_default_executor(pool)
        try:
            loop.run_until_complete(run_in_stack(body))
        finally:
            _abandon(loop)


def _abandon(loop: asyncio.AbstractEventLoop) -> None:
    """End what still waits after a failure, so that nothing warns and nothing runs on."""
    waiting = asyncio.all_tasks(loop)
    for task in waiting:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*waiting, return_exceptions=True))
    # What failed besides the first failure is garbage, not a message.
    loop.set_exception_handler(lambda _loop, _context: None)
    asyncio.set_event_loop(None)
    loop.close()


class _Monitor(mocks.MockMonitor):
    """The engine's side of the protocol, as far as a program uses it."""

    def __init__(self, registrar: Registrar) -> None:
        super().__init__(_NoMocks())
        self.exports: dict[str, Any] = {}
        self._registrar = registrar
        self._stack_urn = ""
        self._seen: dict[str, Registered] = {}
        self._lock = threading.Lock()

    def RegisterResource(self, request: Any) -> Any:
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == STACK_TYPE:
            self._stack_urn = urn
            return resource_pb2.RegisterResourceResponse(urn=urn)
        declared = Declared(
            urn=urn,
            type=request.type,
            name=request.name,
            parent=request.parent,
            custom=request.custom,
            inputs=plain(rpc.deserialize_properties(request.object)),
            depends_on=tuple(sorted({one for many in request.propertyDependencies.values() for one in many.urns})),
        )
        registered = self._answer(declared)
        if not declared.custom:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        outputs = asyncio.run(rpc.serialize_properties(dict(registered.outputs), {}))
        return resource_pb2.RegisterResourceResponse(urn=urn, id=registered.id, object=outputs)

    def _answer(self, declared: Declared) -> Registered:
        with self._lock:
            if declared.urn in self._seen:
                raise pulumi.RunError(f"two resources are called {declared.name} ({declared.type}): {declared.urn}")
            self._seen[declared.urn] = Registered(id="")
        return self._registrar.register(declared)

    def Invoke(self, request: Any) -> Any:
        answer = self._registrar.call(request.tok, plain(rpc.deserialize_properties(request.args)))
        response = resource_pb2.ResourceInvokeResponse()
        # The field is called `return`, which Python keeps for itself.
        getattr(response, "return").CopyFrom(asyncio.run(rpc.serialize_properties(dict(answer), {})))
        return response

    def ReadResource(self, request: Any) -> Any:
        raise pulumi.RunError(f"{request.type} {request.name}: a local cloud starts empty, there is nothing to read")

    def RegisterResourceOutputs(self, request: Any) -> Any:
        if request.urn == self._stack_urn:
            self.exports = plain(rpc.deserialize_properties(request.outputs))
        return super().RegisterResourceOutputs(request)


class _NoMocks(mocks.Mocks):
    """Never asked: the monitor answers by itself."""

    def call(self, args: mocks.MockCallArgs) -> tuple[dict, list[tuple[str, str]] | None]:
        raise NotImplementedError(args.token)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict]:
        raise NotImplementedError(args.typ)


def plain(value: Any) -> Any:
    """Secrets unwrapped, and whole numbers as integers: the wire knows only floating point."""
    if rpc.is_rpc_secret(value):
        return plain(rpc.unwrap_rpc_secret(value))
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {key: plain(inner) for key, inner in value.items()}
        case list():
            return [plain(inner) for inner in value]
        case _:
            return value
