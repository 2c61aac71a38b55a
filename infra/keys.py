"""Which objects are meant, by their keys, and what may be done with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from interface import layout


class Access(StrEnum):
    """What a function may do with the objects under a prefix.

    Nothing but captures is removed, once they are elsewhere. A cloud that cannot tell replacing from
    removing lets WRITE do both, and says so in its access.py; the versions that a store keeps bring back what went.
    """

    READ = "read"
    """Get objects and learn which exist: a missing object is told apart from a forbidden one."""
    WRITE = "write"
    """Create and replace objects."""
    REMOVE = "remove"
    """Remove objects, for who may WRITE them, too."""


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The keys of objects below one of `prefixes` of one of `models`, where `interface.layout.below` has them."""

    models: tuple[str, ...]
    prefixes: tuple[str, ...]


def below(keys: Keys) -> tuple[str, ...]:
    """Return where the objects of each model lie under each prefix."""
    return tuple(layout.below(model, prefix) for model in keys.models for prefix in keys.prefixes)


def of_any_model(keys: Keys) -> Keys:
    """Return the keys below the same prefixes with `*` in place of each model's name."""
    return replace(keys, models=("*",))


def keys_of(models: Iterable[str], prefixes: Iterable[str]) -> Keys:
    """Return the keys below these prefixes of these models, each named once and sorted."""
    return Keys(models=tuple(sorted(set(models))), prefixes=tuple(sorted(set(prefixes))))
