"""A workflow that has been read: routines, their steps, and what each step does."""

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
    """What is done in the first case whose condition is true."""

    cases: tuple[tuple[Evaluate, Block], ...]


@dataclass(frozen=True, kw_only=True)
class Loop:
    """Steps for each element of a list, or of a range with both ends."""

    value: str
    index: str | None
    items: Evaluate
    is_range: bool
    body: Block


@dataclass(frozen=True, kw_only=True)
class Parallel:
    """Branches by name, or the turns of a loop, side by side, at most `limit` at a time."""

    work: Loop | Mapping[str, Block]
    shared: frozenset[str]
    limit: Evaluate | None


@dataclass(frozen=True, kw_only=True)
class Retry:
    """`predicate` decides about an error: a list of built-in rules, or the name of a subworkflow."""

    predicate: str | Predicate
    most: Evaluate
    first_pause: Evaluate
    longest_pause: Evaluate
    multiplier: Evaluate


@dataclass(frozen=True, kw_only=True)
class Predicate:
    """A built-in predicate: these status codes and these tags are tried again."""

    codes: frozenset[int]
    tags: frozenset[str]

    def holds(self, value: Any) -> bool:
        if not isinstance(value, dict):
            return False
        tags = value.get("tags")
        return value.get("code") in self.codes or bool(self.tags & set(tags if isinstance(tags, list) else ()))


@dataclass(frozen=True, kw_only=True)
class Try:
    """Steps, tried again as `retry` says, and what catches an error that is left."""

    body: Block
    retry: Retry | None
    error: str | None
    handler: Block | None


@dataclass(frozen=True, kw_only=True)
class Raise:
    value: Evaluate


@dataclass(frozen=True, kw_only=True)
class Return:
    value: Evaluate


@dataclass(frozen=True, kw_only=True)
class Block:
    """Steps in order."""

    steps: tuple[Step, ...]


Action = Assign | Call | Switch | Loop | Parallel | Try | Raise | Return | Block


@dataclass(frozen=True, kw_only=True)
class Step:
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
    main: Routine
    subworkflows: Mapping[str, Routine]
