"""A request and a response, as no cloud's gateway spells them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = "application/json"
PROBLEM = "application/problem+json"
BINARY = "application/octet-stream"


class Request:
    """A request as it came to the gateway."""

    __slots__ = ("body", "caller", "headers", "method", "path", "request_id")

    def __init__(
        self,
        *,
        method: str,
        path: str,
        caller: str,
        request_id: str,
        headers: Mapping[str, str] = MappingProxyType({}),
        body: bytes = b"",
    ) -> None:
        """Take what a gateway knows of a request.

        `path` begins with a slash and has neither the gateway's stage nor the query. `caller`
        is who asks, as well as it is known: callers are split between versions by it.
        `headers` are named in lower case.
        """
        self.method = method
        self.path = path
        self.caller = caller
        self.request_id = request_id
        self.headers = headers
        self.body = body


class Response:
    """A response. Its headers are completed on its way to the gateway."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, *, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.body = body
        self.headers: dict[str, str] = dict(headers or {})


HEADER = "x-caller-id"
_LONGEST = 256


def caller_of(headers: Mapping[str, str], *, principal: str | None, address: str) -> str:
    """Return who a caller says it is, else who was authenticated, else where the request comes from.

    `headers` are named in lower case. The answer tells the three apart and proves nothing: a
    caller may call itself what it likes.
    """
    if name := headers.get(HEADER, "").strip():
        return f"id:{name[:_LONGEST]}"
    return f"principal:{principal}" if principal else f"address:{address}"
