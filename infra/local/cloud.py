"""What an embedded cloud must offer. Each is a folder here with a `start` of this shape: aws."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import pulumi

from infra.local.hand import Hand, Made
from infra.local.stackfile import StackFile


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


class EmbeddedCloud(Protocol):
    """A cloud on this machine: up, and empty until something is deployed."""

    title: str
    """What a person calls it."""
    function: str
    """The type of its functions."""
    workflow: str
    """The type of its workflows."""
    session: Any
    """Its clients, with all rights."""

    @property
    def hands(self) -> Mapping[str, Hand]:
        """How each type of resource is made."""
        ...

    @property
    def absent(self) -> Mapping[str, str]:
        """Types that are accepted and not made, each with the reason."""
        ...

    @property
    def pid(self) -> int:
        """Its process, and the group of that process and all its workers."""
        ...

    @property
    def log(self) -> Path: ...

    def call(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a provider function. Raises `KeyError` for one that is not known."""
        ...

    def check(self) -> None:
        """Raises `CloudFailed`, with the log's name, if it has died."""
        ...

    def store(self, url: str) -> Objects:
        """The store behind a URL of the outputs."""
        ...

    def lines(self, function: Made, limit: int) -> list[str]:
        """The newest lines that a function wrote, oldest first."""
        ...

    def stop(self) -> None:
        """End everything. Safe to call twice."""
        ...


class CloudFailed(RuntimeError):
    """An embedded cloud did not start, or ended by itself. The message names its log."""


def start(stack: StackFile, room: Path, *, port: int, progress: Callable[[str], None]) -> EmbeddedCloud:
    """Start the embedded cloud that the stack's settings name.

    `room` is a folder for all it writes, `port` the one that its API would like to have.
    Raises `pulumi.RunError` for a cloud that has none, and `CloudFailed` when it does not come up.
    """
    key = f"{stack.project}:settings"
    settings = json.loads(stack.get(key, "{}"))
    name = settings.get("cloud") if isinstance(settings, dict) else None
    known = sorted(path.parent.name for path in Path(__file__).parent.glob("*/__init__.py"))
    if name not in known:
        raise pulumi.RunError(
            f"Pulumi.{stack.name}.yaml: {key} -> cloud: {name!r} has no embedded cloud; accepted: {', '.join(known)}"
        )
    return importlib.import_module(f"infra.local.{name}").start(stack, room, port=port, progress=progress)
