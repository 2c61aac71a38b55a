"""A request and a response, as no cloud's gateway spells them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST = 6_000_000
"""Bytes of a body that is answered at once; more belongs into a job. A Lambda function is handed 6 MB at most,
of which Base64 and the rest of the event take their part:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
JSON = "application/json"
PROBLEM = "application/problem+json"
BINARY = "application/octet-stream"


class Request(NamedTuple):
    method: str
    path: str
    """Begins with a slash; without the gateway's stage and without the query."""
    caller: str
    """Who asks, as well as it is known: callers are split between versions by it."""
    request_id: str
    headers: Mapping[str, str] = MappingProxyType({})
    """Names in lower case."""
    body: bytes = b""


@dataclass(kw_only=True, slots=True)
class Response:
    """Its headers are completed on the way out."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def json_response(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None, kind: str = JSON
) -> Response:
    """`value` as JSON. Raises `ValueError` on NaN: what leaves here can be read by every client."""
    body = json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
    return Response(status=status, body=body, headers={"content-type": kind, **(headers or {})})
