"""Runs an unmodified Pulumi program in this process, and passes every registration to a `Registrar`.

```python
class Printer:
    def register(self, declared: Declared) -> Registered:
        print(declared.urn)
        return Registered(id=declared.name, outputs=declared.inputs)

    def call(self, token, args):
        return {}

outputs = evaluate(StackFile.read("local"), Printer(), Path("infra"))
```

The Pulumi CLI starts the program in a language host and answers its gRPC calls (`RegisterResource`,
`Invoke`) in a resource monitor. Here the program runs in a thread, and `_Monitor`, which
extends the monitor of Pulumi's own test mocks, answers the same calls without a socket. A
process may evaluate any number of programs; each has its own event loop and context.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import runpy
import threading
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pulumi
from pulumi.runtime import mocks, rpc, settings
from pulumi.runtime.config import set_all_config
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.stack import run_in_stack

from localcloud.engine.stack_file import StackFile
from localcloud.engine.urn import STACK_TYPE, urn_of

THREADS = 16


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One resource as the program declares it, with every input resolved.

    `Declared(urn="urn:...", type="aws:s3/bucket:Bucket", name="data", parent="urn:...", custom=True,
    inputs={"bucketPrefix": "data-"})`
    """

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
    """A resource as the registrar created it: its id, and its outputs by the provider's camelCase names."""

    id: str
    outputs: Mapping[str, Any] = field(default_factory=dict)


class Registrar(Protocol):
    """Answers the program's registrations and calls. Must be safe to call from several threads at once."""

    def register(self, declared: Declared) -> Registered:
        """Return the id and the outputs of a declared resource."""
        ...

    def call(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the result of a provider function such as `aws:index/getRegion:getRegion`."""
        ...


def evaluate(
    stack: StackFile, registrar: Registrar, program: Path | Callable[[], object], *, dry_run: bool = False
) -> dict[str, Any]:
    """Run the program for a stack and return its outputs, with secrets unwrapped.

    `program` is the folder that holds `__main__.py`, or a function that declares resources.
    With `dry_run` the program is told that it is only previewed, as `pulumi preview` does.
    Raises what the program or the registrar raises.
    """
    monitor = _Monitor(stack, registrar)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            _run(stack, monitor, program, dry_run=dry_run)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=contextvars.Context().run, args=(run,), name="program", daemon=True)
    with _nothing_collected():
        thread.start()
        while thread.is_alive():
            # A bare join would hold back Ctrl-C until the program has ended.
            thread.join(0.1)
    if errors:
        raise errors[0]
    return monitor.exports


@contextmanager
def _nothing_collected() -> Generator[None]:
    """Keep the garbage collector off: a program makes many objects and drops few, and to look through them is a third
    of its time.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


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
    set_all_config(dict(stack.config), list(stack.secret))

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
    """Cancel the tasks that still wait after a failure, so that none warns and none keeps running."""
    waiting = asyncio.all_tasks(loop)
    for task in waiting:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*waiting, return_exceptions=True))
    # Only the first error is reported; the others follow from it.
    loop.set_exception_handler(lambda _loop, _context: None)
    asyncio.set_event_loop(None)
    loop.close()


class _Monitor(mocks.MockMonitor):
    """The resource monitor of Pulumi's gRPC protocol, as far as a program uses it.

    `RegisterResource(request)` turns the request into a `Declared`, asks the registrar, and returns
    `RegisterResourceResponse(urn=..., id=..., object=outputs)`. `Invoke(request)` returns the result of
    a provider function in the field `return`. The stack's outputs arrive by `RegisterResourceOutputs`.
    """

    def __init__(self, stack: StackFile, registrar: Registrar) -> None:
        super().__init__(_NoMocks())
        self.exports: dict[str, Any] = {}
        self._stack = stack
        self._registrar = registrar
        self._stack_urn = ""
        self._urns: set[str] = set()
        self._lock = threading.Lock()

    def RegisterResource(self, request: Any) -> Any:
        """Return the URN of any resource, and the id and outputs of one that is no component."""
        urn = urn_of(self._stack.name, self._stack.project, request.parent, request.type, request.name)
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
            depends_on=tuple(
                sorted({urn for property in request.propertyDependencies.values() for urn in property.urns})
            ),
        )
        registered = self._register(declared)
        if not declared.custom:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        outputs = asyncio.run(rpc.serialize_properties(dict(registered.outputs), {}))
        return resource_pb2.RegisterResourceResponse(urn=urn, id=registered.id, object=outputs)

    def _register(self, declared: Declared) -> Registered:
        """Ask the registrar. Raises `pulumi.RunError` for a URN that is registered already."""
        with self._lock:
            if declared.urn in self._urns:
                raise pulumi.RunError(
                    f"two resources are called {declared.name} ({declared.type}); "
                    f"give one of them another name\n  {declared.urn}"
                )
            self._urns.add(declared.urn)
        return self._registrar.register(declared)

    def Invoke(self, request: Any) -> Any:
        """Return the result of a provider function."""
        result = self._registrar.call(request.tok, plain(rpc.deserialize_properties(request.args)))
        response = resource_pb2.ResourceInvokeResponse()
        # The field is called `return`, which Python keeps for itself.
        getattr(response, "return").CopyFrom(asyncio.run(rpc.serialize_properties(dict(result), {})))
        return response

    def ReadResource(self, request: Any) -> Any:
        """Raise `pulumi.RunError`: there is nothing to read in a cloud that starts empty."""
        raise pulumi.RunError(f"{request.type} {request.name}: a local cloud starts empty, there is nothing to read")

    def RegisterResourceOutputs(self, request: Any) -> Any:
        """Keep the outputs of the stack; a component's are not used."""
        if request.urn == self._stack_urn:
            self.exports = plain(rpc.deserialize_properties(request.outputs))
        return super().RegisterResourceOutputs(request)


class _NoMocks(mocks.Mocks):
    """Never called: `_Monitor` overrides every method that would."""

    def call(self, args: mocks.MockCallArgs) -> tuple[dict, list[tuple[str, str]] | None]:
        raise NotImplementedError(args.token)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict]:
        raise NotImplementedError(args.typ)


def plain(value: Any) -> Any:
    """Return a value with secrets unwrapped and whole numbers as integers.

    `plain({"count": 2.0, "key": <secret "k">}) == {"count": 2, "key": "k"}`: protobuf's `Struct` has
    floating-point numbers alone.
    """
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
