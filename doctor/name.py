"""Names that the program states itself, and that somebody else may have taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from doctor.finding import Finding, fails, ready
from doctor.stack import Stack

Client = TypeVar("Client")
Owner = Callable[[Client, str], bool | None]
"""Returns whether a name is the account's own; None where nobody has it."""


@dataclass(frozen=True, kw_only=True)
class Name:
    """A name that the program states for a resource of a type, and whose it is: see `Owner`."""

    kind: str
    name: str
    own: bool | None


def asker(named: Mapping[str, tuple[str, Owner[Client]]]) -> Callable[[Client, Stack], tuple[Name, ...]]:
    """Return the question for the names in a stack, from the input and the owner of each type's names."""

    def ask(client: Client, stack: Stack) -> tuple[Name, ...]:
        return tuple(
            Name(kind=kind, name=name, own=own(client, name))
            for kind, (key, own) in named.items()
            for name in stack.named(kind, key)
        )

    return ask


def judge(names: Sequence[Name], _: Stack) -> list[Finding]:
    """Return a finding for each name, or one that there is none to be taken."""
    return [_judge(name) for name in names] or [ready("every name is made up by Pulumi, so none can be taken")]


def _judge(name: Name) -> Finding:
    thing = f"the {name.kind.rsplit(':', 1)[1].lower()} {name.name}"
    if name.own is None:
        return ready(f"{thing} is free")
    if name.own:
        text = f"{thing} exists already, and unless this stack made it, it cannot be made"
        return fails(text, f"pulumi import {name.kind} NAME {name.name}")
    return fails(f"{thing} is somebody else's, so another name is needed")
