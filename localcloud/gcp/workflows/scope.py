"""The variables of a workflow.

A loop, an `except` and a parallel branch have variables of their own and see those outside.
An assignment changes the nearest variable of its name, or makes a new one inside.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.gcp.workflows.errors import Undocumented, error

MEMORY = 512 * 1024
"""Bytes of all variables. https://cloud.google.com/workflows/quotas#resource_limit"""


class Memory:
    """The memory that the variables of one execution use, shared by its branches."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._used = 0

    def change(self, before: int, after: int) -> None:
        """Count a variable that grows or shrinks, in bytes. Raises the workflow's ResourceLimitError."""
        with self.lock:
            if after > before and self._used + after - before > MEMORY:
                raise error("ResourceLimitError", f"the variables hold more than {MEMORY} bytes")
            self._used += after - before


class Scope:
    """Variables by name, within an `outer` scope. A parallel branch may assign only `shared` variables of it."""

    def __init__(
        self,
        functions: Mapping[str, Callable[..., Any]],
        memory: Memory,
        *,
        outer: Scope | None = None,
        shared: frozenset[str] | None = None,
    ) -> None:
        self.functions = functions
        self.memory = memory
        self._outer = outer
        self._shared = shared
        self._values: dict[str, Any] = {}
        self._sizes: dict[str, int] = {}

    def inside(self, *, shared: frozenset[str] | None = None) -> Scope:
        """Return a new scope within this one."""
        return Scope(self.functions, self.memory, outer=self, shared=shared)

    def get(self, name: str) -> Any:
        """Return a variable of this scope or the nearest outer one. Raises `Undocumented` if it is not assigned."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope._values:
                return scope._values[name]
            scope = scope._outer
        raise Undocumented(f"variable {name} is used before it is assigned")

    def set(self, name: str, value: Any) -> None:
        """Assign a variable in the scope that holds it, or else in this one. Raises `ResourceLimitError`."""
        scope = self._holder(name) or self
        size = size_of(value)
        self.memory.change(scope._sizes.get(name, 0), size)
        scope._values[name], scope._sizes[name] = value, size

    def declare(self, name: str, value: Any) -> None:
        """Assign a variable of this scope, even if an outer one holds the name. Raises `ResourceLimitError`."""
        size = size_of(value)
        self.memory.change(self._sizes.get(name, 0), size)
        self._values[name], self._sizes[name] = value, size

    def close(self) -> None:
        """Drop the variables, and free their memory."""
        for size in self._sizes.values():
            self.memory.change(size, 0)
        self._values, self._sizes = {}, {}

    def _holder(self, name: str) -> Scope | None:
        scope: Scope | None = self
        shared = True
        while scope is not None:
            if name in scope._values:
                if not shared:
                    raise Undocumented(f"variable {name} is outside of a parallel branch that assigns it unshared")
                return scope
            shared = shared and (scope._shared is None or name in scope._shared)
            scope = scope._outer
        return None


def size_of(value: Any) -> int:
    """Return the size of a value in bytes, as JSON."""
    return len(json.dumps(value, default=lambda raw: raw.decode("latin-1"), separators=(",", ":")))
