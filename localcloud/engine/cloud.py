"""What an embedded cloud must offer. Each is a folder here, named as in `infra/`, with a `start` of this shape."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import pulumi

from localcloud.engine.dead_letters import DeadLetters
from localcloud.engine.resource_handler import Made, ResourceHandler
from localcloud.engine.stack_file import StackFile

FOLDER = Path(__file__).resolve().parents[1]


class Objects(Protocol):
    """The objects of one store, with all rights."""

    def put(self, key: str, content: bytes | Path) -> None:
        """Create or replace an object from bytes or from a file."""
        ...

    def get(self, key: str) -> bytes:
        """Raises `FileNotFoundError` for an object that does not exist."""
        ...

    def keys(self, prefix: str = "") -> list[str]:
        """Every key that begins with `prefix`, sorted."""
        ...


class State(StrEnum):
    """Where an execution of a workflow stands, in the same words on every cloud."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """Whatever ended it before its own end: a failure, its deadline, somebody."""


class Provider(Protocol):
    """What makes the resources of one cloud."""

    session: Any
    """What its hands speak to, with all rights."""

    @property
    def handlers(self) -> Mapping[str, ResourceHandler]:
        """How each type of resource is made."""
        ...

    @property
    def absent(self) -> Mapping[str, str]:
        """Types that are accepted and not made, each with the reason."""
        ...

    def call(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a provider function. Raises `KeyError` for one that is not known."""
        ...


class EmbeddedCloud(Provider, Protocol):
    """A cloud on this machine: up, and empty until something is deployed."""

    title: str
    """What a person calls it."""
    function: str
    """The type of its functions."""
    workflow: str
    """The type of its workflows."""

    @property
    def groups(self) -> tuple[int, ...]:
        """The process groups of all that it runs, the functions' workers among them."""
        ...

    @property
    def certificate(self) -> Path | None:
        """What a client must trust to speak to its services. None: they do without TLS."""
        ...

    @property
    def log(self) -> Path:
        """What it wrote; kept when a stack ends with an error."""
        ...

    def check(self) -> None:
        """Raises `CloudFailed`, with the log's name, if it has died."""
        ...

    def outputs(self, found: Mapping[str, Any]) -> Mapping[str, Any]:
        """The outputs of a program as they hold on this machine."""
        ...

    def store(self, url: str) -> Objects:
        """The store behind a URL of the outputs."""
        ...

    def dead_letters(self, name: str) -> DeadLetters:
        """The dead letters of a queue, by what the outputs call them."""
        ...

    def lines(self, function: Made, limit: int) -> list[str]:
        """The newest lines that a function wrote, oldest first."""
        ...

    def workers(self, function: Made) -> list[int]:
        """The processes that a function runs in at this moment."""
        ...

    def execute(self, workflow: str, argument: Mapping[str, Any]) -> str:
        """Start a workflow, by its name in the outputs; returns the name of the execution."""
        ...

    def executions(self, workflow: str) -> Mapping[str, State]:
        """Where each execution of a workflow stands, by its name."""
        ...

    def stop(self) -> None:
        """End everything. Safe to call twice."""
        ...


class CloudFailed(RuntimeError):
    """An embedded cloud did not start, or ended by itself. The message names its log."""


def start(stack: StackFile, workspace: Path, *, port: int, progress: Callable[[str], None]) -> EmbeddedCloud:
    """Start the embedded cloud that the stack's settings name.

    `room` is a folder for all it writes, `port` the one that its API would like to have.
    Raises `pulumi.RunError` for a cloud that has none, and `CloudFailed` when it does not come up.
    """
    name = stack.cloud
    known = sorted(path.parts[-3] for path in FOLDER.glob("*/resources/__init__.py"))
    if name not in known:
        raise pulumi.RunError(
            f"Pulumi.{stack.name}.yaml: {stack.project}:settings -> cloud: {name!r} has no embedded cloud; "
            f"accepted: {', '.join(known)}"
        )
    return importlib.import_module(f"localcloud.{name}").start(stack, workspace, port=port, progress=progress)
