"""A request and a response of the HTTP API, the same for every cloud's gateway."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from models.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


JSON = "application/json"
PROBLEM = "application/problem+json"
BINARY = "application/octet-stream"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One HTTP request, as an adapter read it from the gateway's event."""

    method: str
    path: str
    """Begins with a slash; contains neither the gateway's stage nor the query."""
    caller: str
    """Who sends the request, by `caller_of`: traffic is split between versions by caller."""
    request_id: str
    headers: Mapping[str, str] = MappingProxyType({})
    """Names in lower case."""
    body: bytes = b""


class Response:
    """One HTTP response. The service adds the headers that every response has."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, *, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.body = body
        self.headers: dict[str, str] = dict(headers or {})


HEADER = "x-caller-id"
_LONGEST_ID = 256


def caller_of(headers: Mapping[str, str], *, principal: str | None, address: str) -> str:
    """Return what the caller says it is, else who was authenticated, else the address that the request comes from.

    `headers` are named in lower case. The prefix of the returned text says which of the three
    it is. It proves nothing: a caller may send any id.
    """
    if caller_id := headers.get(HEADER, "").strip():
        return f"id:{caller_id[:_LONGEST_ID]}"
    return f"principal:{principal}" if principal else f"address:{address}"
