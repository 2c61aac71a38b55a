"""From the provider's spelling to the API's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def pascal(value: Any, *, keep: Iterable[str] = (), renamed: Mapping[str, str] | None = None) -> Any:
    """`{"maxAge": 1}` as `{"MaxAge": 1}`, all the way down.

    Below a key in `keep` the keys are the user's own and stay as they are; `renamed` gives
    the API's word where it is another one. None is left out.
    """
    keep, renamed = frozenset(keep), renamed or {}
    match value:
        case Mapping():
            return {
                renamed.get(key, key[:1].upper() + key[1:]): (
                    inner if key in keep else pascal(inner, keep=keep, renamed=renamed)
                )
                for key, inner in value.items()
                if inner is not None
            }
        case list():
            return [pascal(inner, keep=keep, renamed=renamed) for inner in value]
        case _:
            return value


def chosen(inputs: Mapping[str, Any], names: Mapping[str, str] | Iterable[str]) -> dict[str, Any]:
    """The given inputs under the API's names; with plain names, the first letter raised."""
    pairs = names.items() if isinstance(names, Mapping) else ((name, name[:1].upper() + name[1:]) for name in names)
    return {theirs: inputs[ours] for ours, theirs in pairs if inputs.get(ours) is not None}
