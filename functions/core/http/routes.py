"""The operation that a request asks for, by its method and path."""

from __future__ import annotations

from functools import lru_cache

from functions.core.http.problem import Problem
from interface.operations import OPERATIONS, Operation

_PARTS = tuple((operation, operation.path.split("/")) for operation in OPERATIONS)


@lru_cache(maxsize=256)
def find(method: str, path: str) -> tuple[Operation, dict[str, str]]:
    """The operation and its variable segments. Raises `Problem` 404, or 405 with the methods that are allowed."""
    allowed = []
    asked = path.rstrip("/").split("/")
    for operation, parts in _PARTS:
        segments = _matched(parts, asked)
        if segments is None:
            continue
        if operation.method == method:
            return operation, segments
        allowed.append(operation.method)
    if allowed:
        methods = ", ".join(sorted(allowed))
        raise Problem(405, f"the method is not allowed here; accepted: {methods}", headers={"allow": methods})
    offered = "GET /openapi.json lists what there is"
    if path.startswith("/v2/"):
        raise Problem(404, f"this call of the protocol is not offered; {offered}")
    raise Problem(404, f"there is nothing at this path; {offered}")


def _matched(parts: list[str], asked: list[str]) -> dict[str, str] | None:
    """The variable segments; None for a path of another operation."""
    if len(parts) != len(asked):
        return None
    found = {}
    for part, segment in zip(parts, asked, strict=True):
        if part.startswith("{") and segment:
            found[part[1:-1]] = _unquoted(segment)
        elif part != segment:
            return None
    return found


def _unquoted(segment: str) -> str:
    if "%" not in segment:
        return segment
    from urllib.parse import unquote  # noqa: PLC0415 - names of models, versions and jobs need none of it

    return unquote(segment)
