"""The interface of an embedded cloud. Each cloud is a package of `localcloud/` with a `start` like this one.

```python
cloud = start(StackFile.read("local"), workspace, port=8400, progress=print)
try:
    engine = Engine(cloud)
    ...
finally:
    cloud.stop()
```
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import pulumi

from localcloud.engine.alarms import Monitoring, Sample
from localcloud.engine.dead_letters import DeadLetters
from localcloud.engine.events import Event
from localcloud.engine.resource_handler import Resource, ResourceHandler
from localcloud.engine.stack_file import SETTINGS, StackFile

FOLDER = Path(__file__).resolve().parents[1]


class Objects(Protocol):
    """The objects of one store, read and written with all permissions."""

    def put(self, key: str, content: bytes | Path) -> None:
        """Create or replace an object from bytes or from a file."""
        ...

    def get(self, key: str) -> bytes:
        """Return the content of an object. Raises `FileNotFoundError` when there is no such object."""
        ...

    def keys(self, prefix: str = "") -> list[str]:
        """Return every key that begins with `prefix`, sorted."""
        ...


SHOWN_BYTES = 500
"""The part of an answer that says why something failed that is shown."""


class State(StrEnum):
    """The state of a workflow's execution, the same names on every cloud."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """It raised an error, reached its deadline, or was cancelled."""


class Provider(Protocol):
    """Creates the resources of one cloud, as a Pulumi provider does."""

    session: Any
    """What the resource handlers use to call the cloud, with all permissions."""

    @property
    def handlers(self) -> Mapping[str, ResourceHandler]:
        """The handler of each resource type, by the type's token."""
        ...

    @property
    def absent(self) -> Mapping[str, str]:
        """The resource types that are accepted and not created, each with the reason."""
        ...

    def call(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the result of a provider function. Raises `KeyError` for an unknown token."""
        ...


@dataclass(frozen=True, kw_only=True)
class QueuePart:
    """A resource of each queue: its type token, and what its logical name adds to that of the consuming function."""

    type: str
    suffix: str


@dataclass(frozen=True, kw_only=True)
class Entrance:
    """How a client of the cloud itself reaches an embedded one, with all permissions."""

    endpoint: str
    certificate: Path | None
    """What the client must trust. None: the endpoint speaks plain HTTP."""
    credentials: Mapping[str, str] = field(repr=False)
    store_options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What obstore's client needs to open the cloud's buckets."""


class EmbeddedCloud(Provider, Protocol):
    """A running cloud on this machine, empty until something is deployed."""

    title: str
    """Its name for people: `AWS`."""
    emulator: str
    """The name of the emulator that others wrote, which keeps every object, and what it logs, until it ends."""
    function: str
    """The type token of its functions."""
    workflow: str
    """The type token of its workflows."""
    queue: QueuePart
    """What takes the messages of a queue."""
    failed: QueuePart
    """What holds the dead letters of a queue: `dead_letters` knows it by its id."""

    @property
    def groups(self) -> tuple[int, ...]:
        """The process groups of everything it runs, including the functions' workers."""
        ...

    @property
    def certificate(self) -> Path | None:
        """The certificate that a client of its services must trust. None: they speak plain HTTP."""
        ...

    @property
    def entrance(self) -> Entrance:
        """How it is asked about the account."""
        ...

    @property
    def log(self) -> Path:
        """Its log file, which is kept when a stack ends with an error."""
        ...

    def check(self) -> None:
        """Raise `CloudFailed`, which names the log, if it has ended by itself."""
        ...

    def outputs(self, declared: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the program's outputs with the addresses that are valid on this machine."""
        ...

    def store(self, url: str) -> Objects:
        """Return the store at a URL of the outputs."""
        ...

    def send(self, queue: Resource, content: bytes) -> None:
        """Send a message to a queue, by the resource that takes its messages."""
        ...

    def dead_letters(self, name: str) -> DeadLetters:
        """Return the dead letters of a queue, by their name: the id of the resource that holds them."""
        ...

    def lines(self, function: Resource, limit: int) -> list[str]:
        """Return the newest `limit` lines that a function logged, oldest first."""
        ...

    def events(self) -> list[Event]:
        """Return what happened since the last call: objects written, functions that failed, errors of the API."""
        ...

    def monitoring(self, resources: Iterable[Resource]) -> Monitoring:
        """Return what is declared of metrics and alarms. Raise `ValueError` for a form that is not emulated."""
        ...

    def counted(self, resources: Iterable[Resource]) -> Iterable[Sample]:
        """Return what the services count, of what the alarms among the resources read."""
        ...

    def workers(self, function: Resource) -> list[int]:
        """Return the ids of the processes that a function runs in at this moment."""
        ...

    def invoke(self, function: Resource, payload: Mapping[str, Any]) -> Any:
        """Call a function that no route leads to, as its schedule does, and return its answer.

        Raises `CloudFailed`, with what it said, where it fails.
        """
        ...

    def execute(self, workflow: str, argument: Mapping[str, Any]) -> str:
        """Start a workflow, by its name in the outputs, and return the name of the execution."""
        ...

    def executions(self, workflow: str, *, running: bool = False) -> Mapping[str, State]:
        """Return the state of each execution of a workflow, by its name; with `running`, of those that do."""
        ...

    def stop(self) -> None:
        """Stop everything. Safe to call twice."""
        ...


class CloudFailed(RuntimeError):
    """An embedded cloud did not start, or ended by itself. The message names its log."""


def start(stack: StackFile, workspace: Path, *, port: int, progress: Callable[[str], None]) -> EmbeddedCloud:
    """Start the embedded cloud that the stack's settings name.

    `workspace` is the folder for everything it writes. The API listens on `port`, or on the next free one.
    Raises `pulumi.RunError` for a cloud that has no embedded one, and `CloudFailed` when it does not start.
    """
    name = stack.cloud
    known = sorted(path.parts[-3] for path in FOLDER.glob("*/resources/__init__.py"))
    if name not in known:
        raise pulumi.RunError(
            f"Pulumi.{stack.name}.yaml: {SETTINGS} -> cloud: {name!r} has no embedded cloud; "
            f"accepted: {', '.join(known)}"
        )
    return importlib.import_module(f"localcloud.{name}").start(stack, workspace, port=port, progress=progress)
