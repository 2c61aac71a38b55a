"""A provider of the Pulumi CLI over the resource handlers of an embedded cloud.

```python
installation = install(state / "pulumi", print)
environment = installation.environment(state, "passphrase")
with serve("aws", cloud, state):  # a running embedded cloud, or `Symbols` for outputs that nothing created
    ...                           # `pulumi up` in this environment
```

The CLI keeps the state, and decides what to create, update, replace and delete; this answers its
calls. It is a tool for development: it creates nothing outside of this machine.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import grpc
import pulumi
from google.protobuf.empty_pb2 import Empty  # ty: ignore[missing-module-member] - protobuf makes it when it is imported
from google.protobuf.struct_pb2 import Struct  # ty: ignore[missing-module-member] - protobuf makes it when it is imported
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from localcloud.cli.installation import ADDRESS
from localcloud.cli.properties import GENERATION, UNKNOWN, comparable, is_unknown, plain, read, write
from localcloud.cli.serving import UNLIMITED
from localcloud.engine.cloud import Provider
from localcloud.engine.engine import handler_of
from localcloud.engine.program import Declared, Registered
from localcloud.engine.recorder import completed, sdk_class, symbolic, symbolic_result
from localcloud.engine.resource_handler import Order, Resource, ResourceHandler

THREADS = 32
LONGEST = 4_000
"""Characters of an error: gRPC carries it in a header, which has at most 16 KB."""

Answer = TypeVar("Answer")


class EveryType(dict[str, ResourceHandler]):
    """Handlers by type; a type that has none is answered with symbols."""

    def __missing__(self, _type: str) -> ResourceHandler:
        return ResourceHandler(
            create=lambda order: symbolic(order.declared), update=lambda order, _: symbolic(order.declared)
        )


class Symbols:
    """A provider that creates nothing: its outputs are the symbols of a preview, such as `<data-bucket.arn>`."""

    session = None
    handlers: Mapping[str, ResourceHandler] = EveryType()
    absent: Mapping[str, str] = {}

    def call(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return symbols for the result of a provider function."""
        return symbolic_result(token, args)


@contextlib.contextmanager
def serve(package: str, provider: Provider, state: Path) -> Generator[None]:
    """Serve a provider under a package's name (`aws`) on the loopback address.

    The plugins in `state` pass the CLI's calls on to the address that is written there.
    """
    server = grpc.server(ThreadPoolExecutor(THREADS, thread_name_prefix="provider"), options=UNLIMITED)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Service(package, provider), server)
    port = server.add_insecure_port("127.0.0.1:0")
    address = state / ADDRESS.format(package=package)
    server.start()
    try:
        fresh = address.with_suffix(f".{os.getpid()}")
        fresh.write_text(f"127.0.0.1:{port}\n", encoding="utf-8")
        fresh.replace(address)
        yield
    finally:
        address.unlink(missing_ok=True)
        server.stop(grace=None).wait()


def _answering(method: Callable[[Any, Any], Answer]) -> Callable[[Any, Any, grpc.ServicerContext], Answer]:
    """Turn what a method raises into the error that the CLI shows, without a stack trace."""

    def answer(self: Any, request: Any, context: grpc.ServicerContext) -> Answer:
        try:
            return method(self, request)
        except Exception as problem:  # every client of a cloud has errors of its own; the CLI shows the sentence
            text = f"{type(problem).__name__}: {problem}" if isinstance(problem, KeyError) else str(problem)
            context.abort(grpc.StatusCode.UNKNOWN, text[:LONGEST] or type(problem).__name__)
            raise

    return answer


class Service(provider_pb2_grpc.ResourceProviderServicer):
    """Answers the calls of Pulumi's provider protocol."""

    def __init__(self, package: str, provider: Provider) -> None:
        self._provider = provider
        self._package = package
        # The version that the program's SDK asks for: with another one the CLI warns.
        self._version = importlib.metadata.version(f"pulumi-{package}")

    def Handshake(self, request: Any, context: Any) -> Any:
        """Say that secrets, resources and outputs arrive as plain values; the CLI marks what is secret itself."""
        return provider_pb2.ProviderHandshakeResponse()

    def Attach(self, request: Any, context: Any) -> Any:
        """Accept the CLI's address, which is not used."""
        return Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        """Let what has begun come to its end, which is a matter of seconds."""
        return Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """Return the version of the program's SDK."""
        return plugin_pb2.PluginInfo(version=self._version)

    def GetSchema(self, request: Any, context: Any) -> Any:
        """Return a schema without types: the program brings its SDK."""
        return provider_pb2.GetSchemaResponse(schema=json.dumps({"name": self._package, "version": self._version}))

    def GetMapping(self, request: Any, context: Any) -> Any:
        """Return no mapping from another tool."""
        return provider_pb2.GetMappingResponse()

    def GetMappings(self, request: Any, context: Any) -> Any:
        """Return no mappings from other tools."""
        return provider_pb2.GetMappingsResponse()

    def CheckConfig(self, request: Any, context: Any) -> Any:
        """Accept the provider's configuration: the embedded cloud has taken its own from the stack's file."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        """Say that no change of the provider's configuration replaces resources."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:
        """Say that the outputs of a preview come from here."""
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    @_answering
    def Invoke(self, request: Any) -> Any:
        """Return the result of a provider function. Raises `pulumi.RunError` for an unknown one."""
        try:
            result = self._provider.call(request.tok, read(request.args))
        except KeyError:
            raise pulumi.RunError(f"{request.tok}: the local cloud has no such provider function") from None
        response = provider_pb2.InvokeResponse()
        # The field is called `return`, which Python keeps for itself.
        getattr(response, "return").CopyFrom(write(result))
        return response

    @_answering
    def Check(self, request: Any) -> Any:
        """Return the inputs, with what makes the physical name unique: the old one unless there is none."""
        inputs = Struct()
        inputs.CopyFrom(request.news)
        old = plain(request.olds).get(GENERATION)
        inputs.update({GENERATION: old if old is not None else int.from_bytes(request.randomSeed[:4], "big")})
        return provider_pb2.CheckResponse(inputs=inputs)

    @_answering
    def Diff(self, request: Any) -> Any:
        """Say which inputs mean something else than before, and which of these replace the resource."""
        before, now = comparable(plain(request.old_inputs)), comparable(plain(request.news))
        handler = handler_of(self._provider, _declared(request, {}))
        changed = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
        replacing = handler.replacing(changed)
        name = handler.named
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=changed,
            replaces=replacing,
            deleteBeforeReplace=bool(replacing and now.get(name) and now[name] == before.get(name)),
        )

    @_answering
    def Create(self, request: Any) -> Any:
        """Create a resource; in a preview, say which of its outputs are known."""
        inputs = read(request.properties)
        order = self._order(request, inputs)
        if request.preview:
            return provider_pb2.CreateResponse(properties=write(_foreseen(order.declared)))
        registered = handler_of(self._provider, order.declared).create(order)
        return provider_pb2.CreateResponse(id=registered.id, properties=write(registered.outputs))

    @_answering
    def Read(self, request: Any) -> Any:
        """Return the resource as it was created, with what was changed behind its back; nothing when it is gone."""
        resource = self._resource(request, request.inputs, request.properties)
        handler, session = handler_of(self._provider, resource.declared), self._provider.session
        if handler.exists is not None and not handler.exists(session, resource):
            return provider_pb2.ReadResponse()
        response = provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)
        if handler.reads is not None:
            changed = handler.reads(session, resource)
            response.properties.update(changed)
            response.inputs.update(changed)
        return response

    @_answering
    def Update(self, request: Any) -> Any:
        """Update a resource; in a preview, say which of its outputs stay."""
        before = self._resource(request, request.old_inputs, request.olds)
        order = replace(self._order(request, read(request.news)), before=before)
        handler = handler_of(self._provider, order.declared)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=write(_kept(order.declared, before, handler)))
        return provider_pb2.UpdateResponse(properties=write(handler.change(order, before).outputs))

    @_answering
    def Delete(self, request: Any) -> Any:
        """Delete a resource. One that is gone already is no mistake."""
        resource = self._resource(request, request.old_inputs, request.properties)
        handler = handler_of(self._provider, resource.declared)
        if handler.delete is not None and (handler.exists is None or handler.exists(self._provider.session, resource)):
            handler.delete(self._provider.session, resource)
        return Empty()

    def _order(self, request: Any, inputs: dict[str, Any]) -> Order:
        """Return what to create or to update. Raises `pulumi.RunError` for an input that is not known at that time."""
        generation = inputs.pop(GENERATION, 0)
        if not request.preview and (missing := sorted(key for key in inputs if is_unknown(inputs[key]))):
            raise pulumi.RunError(f"{request.urn}: not known yet: {', '.join(missing)}")
        return Order(session=self._provider.session, declared=_declared(request, inputs), generation=generation)

    def _resource(self, request: Any, inputs: Struct, outputs: Struct) -> Resource:
        before = read(inputs)
        generation = before.pop(GENERATION, 0)
        return Resource(
            declared=_declared(request, before),
            registered=Registered(id=request.id, outputs=read(outputs)),
            fingerprint="",
            generation=generation,
        )


def _declared(request: Any, inputs: Mapping[str, Any]) -> Declared:
    """Return the resource of a request. Its URN is `urn:pulumi:<stack>::<project>::<types>::<name>`."""
    types, name = request.urn.split("::", 3)[2:]
    return Declared(urn=request.urn, type=types.rpartition("$")[2], name=name, parent="", custom=True, inputs=inputs)


def _foreseen(declared: Declared) -> dict[str, Any]:
    """Return the outputs of a resource that does not exist yet, as far as its inputs say; the CLI adds the others."""
    return completed(sdk_class(declared.type), declared.inputs, lambda _path: UNKNOWN)


def _kept(declared: Declared, before: Resource, handler: ResourceHandler) -> dict[str, Any]:
    """Return the outputs after an update, as far as they are known before it.

    An output that repeats an input follows it, with what the cloud has filled into it. Of the others only those
    that the handler renews are not known: each one more would promise changes that do not happen.
    """
    outputs = {
        key: UNKNOWN if key in handler.renews else value
        for key, value in before.outputs.items()
        if key not in before.inputs
    }
    for key, value in declared.inputs.items():
        filled, old = before.outputs.get(key), before.inputs.get(key)
        if isinstance(value, dict) and isinstance(filled, dict) and isinstance(old, dict):
            outputs[key] = {**{part: filled[part] for part in filled.keys() - old.keys()}, **value}
        else:
            outputs[key] = value
    return outputs
