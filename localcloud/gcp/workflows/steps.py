"""A parsed workflow: its routines, their steps, and the action of each step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.gcp.workflows.scope import Scope

Evaluate = Callable[[Scope], Any]


@dataclass(frozen=True, kw_only=True)
class Assign:
    """Variables, or members of variables, in order: a name, the keys below it, and the value."""

    targets: tuple[tuple[str, tuple[Evaluate, ...], Evaluate], ...]


@dataclass(frozen=True, kw_only=True)
class Call:
    """A function of the standard library, or a subworkflow, with arguments by name."""

    function: str
    arguments: Mapping[str, Evaluate]
    result: str | None


@dataclass(frozen=True, kw_only=True)
class Switch:
    """Runs the block of the first case whose condition is true."""

    cases: tuple[tuple[Evaluate, Block], ...]


@dataclass(frozen=True, kw_only=True)
class Loop:
    """Steps for each element of a list, or of a range that includes both ends."""

    value: str
    index: str | None
    items: Evaluate
    is_range: bool
    body: Block


@dataclass(frozen=True, kw_only=True)
class Parallel:
    """Branches by name, or the iterations of a loop, in parallel, at most `limit` at once."""

    work: Loop | Mapping[str, Block]
    shared: frozenset[str]
    limit: Evaluate | None


@dataclass(frozen=True, kw_only=True)
class Retry:
    """A retry policy. `predicate` is a built-in one or the name of a subworkflow; delays are in seconds."""

    predicate: str | Predicate
    max_retries: Evaluate
    initial_delay: Evaluate
    max_delay: Evaluate
    multiplier: Evaluate


@dataclass(frozen=True, kw_only=True)
class Predicate:
    """A built-in predicate: errors with these status codes or tags are retried."""

    codes: frozenset[int]
    tags: frozenset[str]

    def holds(self, value: Any) -> bool:
        """Return whether an error is retried."""
        if not isinstance(value, dict):
            return False
        tags = value.get("tags")
        return value.get("code") in self.codes or bool(self.tags & set(tags if isinstance(tags, list) else ()))


@dataclass(frozen=True, kw_only=True)
class Try:
    """Steps that are retried by a policy, and the block that handles the error that is left."""

    body: Block
    retry: Retry | None
    error: str | None
    handler: Block | None


@dataclass(frozen=True, kw_only=True)
class Raise:
    """Raises a value as an error."""

    value: Evaluate


@dataclass(frozen=True, kw_only=True)
class Return:
    """Ends the routine with a value."""

    value: Evaluate


@dataclass(frozen=True, kw_only=True)
class Block:
    """Steps in their order."""

    steps: tuple[Step, ...]


Action = Assign | Call | Switch | Loop | Parallel | Try | Raise | Return | Block


@dataclass(frozen=True, kw_only=True)
class Step:
    """A named step: its action, if any, and the step to jump to afterwards."""

    name: str
    action: Action | None
    next: str | None


@dataclass(frozen=True, kw_only=True)
class Routine:
    """The main workflow or a subworkflow. `defaults` holds the parameters that may be left out."""

    name: str
    params: tuple[str, ...]
    defaults: Mapping[str, Any]
    body: Block


@dataclass(frozen=True, kw_only=True)
class Document:
    """A whole workflow: the main routine, and the subworkflows by name."""

    main: Routine
    subworkflows: Mapping[str, Routine]
