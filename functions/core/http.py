"""A request and a response, as no cloud's gateway spells them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = "application/json"
PROBLEM = "application/problem+json"


@dataclass(frozen=True, kw_only=True)
class Request:
    method: str
    path: str
    """Begins with a slash; without the gateway's stage and without the query."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""
    caller: str
    """Who asks, as well as it is known: callers are split between versions by it."""
    request_id: str


@dataclass(frozen=True, kw_only=True)
class Response:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def json_response(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None, kind: str = JSON
) -> Response:
    """`value` as JSON. Raises `ValueError` on NaN: what leaves here can be read by every client."""
    body = json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
    return Response(status=status, body=body, headers={"content-type": kind, **(headers or {})})
