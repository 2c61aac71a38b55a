"""One plain URL for an HTTP API of the emulator, which says what API Gateway would say."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

from localcloud.support.http_client import Upstream
from localcloud.support.http_server import Answer, HttpServer, Request, say

LIMIT = 10 * 1024 * 1024
"""Bytes of a request. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html"""


class Gateway:
    """Forwards to `upstream` below `prefix`; listens on `port` or the next one that is free."""

    def __init__(self, *, upstream: str, prefix: str, certificate: Path | None, port: int) -> None:
        self._prefix = prefix
        self._upstream = Upstream(upstream, certificate)
        self._server = HttpServer(self._answer, port=port, limit=LIMIT)

    @property
    def url(self) -> str:
        return self._server.url

    def close(self) -> None:
        """Stop listening and drop every connection. Safe to call twice."""
        self._server.close()
        self._upstream.close()

    def _answer(self, request: Request) -> Answer:
        try:
            answer = self._upstream.send(request.method, self._prefix + request.path, request.body, request.headers)
        except (OSError, http.client.HTTPException):
            return say(503, {"message": "Service Unavailable"})
        return translated(answer)


def translated(answer: Answer) -> Answer:
    """What the cloud's gateway would have said.

    The emulator answers a function's failure with 502 and the failure's own text, and an
    answer of the wrong shape with an empty 500; the cloud says the same opaque thing to both.
    """
    failed = answer.status == 502 and "errorMessage" in _object(answer.body)
    if failed or (answer.status == 500 and not answer.body):
        kept = [(key, value) for key, value in answer.headers if key.lower() == "apigw-requestid"]
        return say(500, {"message": "Internal Server Error"}, *kept)
    return answer


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
