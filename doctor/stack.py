"""What a stack wants of its account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from infra.quotas import Declared, Want


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack as it is declared: its configuration, its resources, and the quotas that they want."""

    config: Mapping[str, str]
    """By full keys: `aws:region`."""
    resources: tuple[Declared, ...]
    """Those that are no components."""
    wants: tuple[Want, ...]

    @property
    def types(self) -> tuple[str, ...]:
        """The types of the resources, each once, sorted."""
        return tuple(sorted({resource.type for resource in self.resources}))

    @property
    def modules(self) -> frozenset[str]:
        """The provider's modules that the types are of: `lambda`, `eventarc`."""
        return frozenset(kind.split(":")[1].split("/")[0] for kind in self.types)

    def named(self, kind: str, key: str) -> Iterator[str]:
        """Yield the names that the program itself states for resources of a type.

        Pulumi makes up all others, and those that contain another resource's output (a symbol, `<...>`) follow from
        them.
        """
        for resource in self.resources:
            name = resource.inputs.get(key)
            if resource.type == kind and isinstance(name, str) and "<" not in name:
                yield name
