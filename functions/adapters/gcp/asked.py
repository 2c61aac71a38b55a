"""Requests to Google's own interfaces, as the function's service account."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from functions.core.stopping.asked_part import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.core.runtime.environment import Environment

ENDPOINT = "GOOGLE_APIS_ENDPOINT"
"""The variable by which an embedded cloud says where all of them are: the host is the first part of the path there."""
SECONDS = 30
LONGEST_ERROR = 300


class Google:
    """The interfaces that take and return JSON. `token` returns one of the function's account."""

    def __init__(self, environment: Environment, token: Callable[[], str]) -> None:
        self._endpoint = environment.optional(ENDPOINT)
        self._token = token

    def ask(
        self, host: str, method: str, path: str, body: Mapping[str, Any] | None = None, **query: str
    ) -> dict[str, Any]:
        """Return the answer to a request.

        Raise `Refused` for any status of 300 and above, and `OSError` where nobody answers.
        """
        parts = urlsplit(self._endpoint or f"https://{host}")
        target = (f"/{host}" if self._endpoint else "") + path + (f"?{urlencode(query)}" if query else "")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.netloc, timeout=SECONDS)
        headers = {"authorization": f"Bearer {self._token()}", "content-type": "application/json"}
        try:
            connection.request(method, target, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            answer = response.read()
        except http.client.HTTPException as problem:
            raise OSError(f"{host} did not answer: {problem}") from None
        finally:
            connection.close()
        if response.status >= 300:
            said = " ".join(answer.decode(errors="replace").split())[:LONGEST_ERROR]
            raise Refused(f"{method} {path}", response.status, said)
        return json.loads(answer) if answer else {}
