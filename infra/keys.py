"""Which objects are meant, by their keys, and what may be done with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Access(StrEnum):
    """What a function may do with the objects under a prefix.

    Nothing asks for deleting. A cloud that cannot tell replacing from deleting lets WRITE do
    both, and says so in its access.py; the versions that a store keeps bring back what went.
    """

    READ = "read"
    """Get objects and learn which exist: a missing object is told apart from a forbidden one."""
    WRITE = "write"
    """Create and replace objects."""


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The keys of objects below one of `prefixes` of one of `models`: a model's name is a key's first segment."""

    models: tuple[str, ...]
    prefixes: tuple[str, ...]


def below(keys: Keys) -> tuple[str, ...]:
    """Return each prefix below each model's name: `<model>/<prefix>`."""
    return tuple(f"{model}/{prefix}" for model in keys.models for prefix in keys.prefixes)


def keys_of(models: Iterable[str], prefixes: Iterable[str]) -> Keys:
    """Return the keys below these prefixes of these models, each named once and sorted."""
    return Keys(models=tuple(sorted(set(models))), prefixes=tuple(sorted(set(prefixes))))
