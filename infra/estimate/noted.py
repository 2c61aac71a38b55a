"""The graph that a program notes while it declares its resources, so that it can say what they cost.

The inputs that are plain are noted, and no outputs of other resources: whatever is billed is plain, since it comes from
settings and the table of functions. So the estimate is there before anything is made, in every engine alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pulumi

from infra.estimate.situation import Node

SNAKE = re.compile(r"[a-z][a-z0-9_]*")


class Noted:
    """A transformation that changes nothing, and keeps what is declared with its options and below."""

    def __init__(self) -> None:
        self.graph: list[Node] = []
        self._names: dict[pulumi.Resource, str] = {}

    def __call__(self, args: pulumi.ResourceTransformationArgs) -> None:
        """Note a resource: Pulumi calls this for each."""
        self._names[args.resource] = args.name
        if args.opts.parent is not None and args.opts.parent in self._names:
            inputs = {camel(key): value for key, value in _plain(dict(args.props or {})).items()}
            parent = self._names[args.opts.parent]
            self.graph.append(Node(type=args.type_, name=args.name, parent=parent, inputs=inputs))


def camel(key: str) -> str:
    """Return an input's name as the provider has it: `memorySize`. The names of variables stay as they are."""
    if not SNAKE.fullmatch(key):
        return key
    return re.sub(r"_+([a-z0-9])", lambda found: found[1].upper(), key)


def _plain(value: Any) -> Any:
    """Return a value without the parts that are outputs, assets or nothing."""
    match value:
        case Mapping():
            plain = {camel(str(key)): _plain(inner) for key, inner in value.items()}
            return {key: inner for key, inner in plain.items() if inner is not None}
        case list() | tuple():
            return [inner for inner in map(_plain, value) if inner is not None]
        case _ if hasattr(type(value), "_pulumi_input_type"):
            return _plain(vars(value))
        case str() | int() | float() | bool():
            return value
        case _:
            return None
