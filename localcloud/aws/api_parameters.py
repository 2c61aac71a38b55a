"""Turns the provider's inputs (camelCase) into the parameters of AWS's APIs (PascalCase)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def pascal(value: Any, *, keep: Iterable[str] = (), renamed: Mapping[str, str] | None = None) -> Any:
    """Return a value with the first letter of every key in upper case: `{"maxAge": 1}` becomes `{"MaxAge": 1}`.

    Keys below one that is in `keep` are the user's own and stay as they are. `renamed` maps a
    key to the API's name where that differs in more than its first letter. Nulls are left out.
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


def select(inputs: Mapping[str, Any], names: Mapping[str, str] | Iterable[str]) -> dict[str, Any]:
    """Return the inputs in `names` that are set, under the API's names.

    A mapping gives the API's name of each input; otherwise the first letter becomes upper case.
    """
    pairs = names.items() if isinstance(names, Mapping) else ((name, name[:1].upper() + name[1:]) for name in names)
    return {parameter: inputs[key] for key, parameter in pairs if inputs.get(key) is not None}
