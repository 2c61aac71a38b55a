"""Requests that a Google service sends: to Google's APIs, which are answered here, and to this machine."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from localcloud.gcp.api_responses import ApiResponse
from localcloud.gcp.workflows.calls import over_http

Api = Callable[[str, str, Mapping[str, str], bytes], ApiResponse]
"""Takes the method, path, headers and body of a request to one of Google's APIs."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request that a service sends."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    """The time that the response may take."""


Send = Callable[[Request], int]
"""Returns the status of the response. Raises `OSError` when there is none."""


def sender(apis: Mapping[str, Api]) -> Send:
    """Return what sends a request: to the API of its host in `apis`, or else to this machine alone."""

    def send(request: Request) -> int:
        target = urlsplit(request.url)
        if api := apis.get(target.hostname or ""):
            path = target.path + (f"?{target.query}" if target.query else "")
            return api(request.method, path, request.headers, request.body)[0]
        try:
            return over_http(request.method, request.url, request.headers, request.body, request.seconds).status
        except http.client.HTTPException as problem:
            raise ConnectionError(f"{request.url}: {problem}") from None

    return send
