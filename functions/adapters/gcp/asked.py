"""Requests to Google's own interfaces, as the function's service account."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from functions.core.stopping.exchange import exchange

if TYPE_CHECKING:
    from functions.core.runtime.environment import Environment

ENDPOINT = "GOOGLE_APIS_ENDPOINT"
"""The variable by which an embedded cloud says where all of them are: the host is the first part of the path there."""


class Google:
    """The interfaces that take and return JSON."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._endpoint = environment.optional(ENDPOINT)

    def ask(
        self, host: str, method: str, path: str, body: Mapping[str, Any] | None = None, **query: str
    ) -> dict[str, Any]:
        """Return the answer to a request. Raise as `exchange` does."""
        parts = urlsplit(self._endpoint or f"https://{host}")
        target = (f"/{host}" if self._endpoint else "") + path + (f"?{urlencode(query)}" if query else "")
        headers = {"authorization": f"Bearer {self._environment.token()}", "content-type": "application/json"}
        content = b"" if body is None else json.dumps(body).encode()
        return exchange(parts, method, target, content, headers)
