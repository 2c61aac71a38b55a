"""A part of a stack that can be stopped, as its cloud offers it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

State = Mapping[str, Any]
"""What has to be known of a part to put it back, as JSON can hold it."""


class NoSuchPart(LookupError):
    """The cloud has no such part any more: a deployment has removed it."""


class Part(Protocol):
    """Every method may be called again after it was cut off. Each raises `NoSuchPart`."""

    name: str
    """What a person is told, and what no other part of the stack is called."""

    def state(self) -> State:
        """Return how it is."""
        ...

    def is_stopped(self, state: State) -> bool:
        """Return whether a state is that of a stopped part."""
        ...

    def stop(self) -> None: ...

    def resume(self, before: State) -> None:
        """Put it into a state that it was in."""
        ...
