"""A request and a response, as no cloud's gateway spells them."""

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
    """What a gateway handed over."""

    method: str
    path: str
    """Begins with a slash; without the gateway's stage and without the query."""
    caller: str
    """Who asks, as well as it is known: callers are split between versions by it."""
    request_id: str
    headers: Mapping[str, str] = MappingProxyType({})
    """Names in lower case."""
    body: bytes = b""


class Response:
    """Its headers are completed on the way out."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, *, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.body = body
        self.headers: dict[str, str] = dict(headers or {})


HEADER = "x-caller-id"
_LONGEST = 256


def caller_of(headers: Mapping[str, str], *, principal: str | None, address: str) -> str:
    """What the caller says, else who was authenticated, else where the request comes from.

    `headers` are named in lower case. The answer tells the three apart and is no proof of
    anything: a caller may call itself what it likes.
    """
    if given := headers.get(HEADER, "").strip():
        return f"id:{given[:_LONGEST]}"
    return f"principal:{principal}" if principal else f"address:{address}"
