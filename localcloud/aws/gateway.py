"""One plain HTTP address for an API of the emulator, with the error responses of API Gateway."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localcloud.support.http_client import Upstream
from localcloud.support.http_server import HttpServer, Request, Response, json_response

LIMIT = 10 * 1024 * 1024
"""The largest request, in bytes. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html"""


class Gateway:
    """Forwards requests to `upstream`, below the path `prefix`; listens on `port` or the next free one.

    `answered` is told of every request and its response.
    """

    def __init__(
        self,
        *,
        upstream: str,
        prefix: str,
        certificate: Path | None,
        port: int,
        answered: Callable[[Request, Response], None] = lambda *_: None,
    ) -> None:
        self._prefix = prefix
        self._answered = answered
        self._upstream = Upstream(upstream, certificate)
        self._server = HttpServer(self._answer, port=port, limit=LIMIT)

    @property
    def url(self) -> str:
        return self._server.url

    def close(self) -> None:
        """Stop listening and close every connection. Safe to call twice."""
        self._server.close()
        self._upstream.close()

    def _answer(self, request: Request) -> Response:
        response = self._forward(request)
        self._answered(request, response)
        return response

    def _forward(self, request: Request) -> Response:
        try:
            response = self._upstream.send(request.method, self._prefix + request.path, request.body, request.headers)
        except (OSError, http.client.HTTPException):
            return json_response(503, {"message": "Service Unavailable"})
        return as_api_gateway(response)


def as_api_gateway(response: Response) -> Response:
    """Return the response that API Gateway would give in place of the emulator's.

    The emulator answers a function's failure with 502 and the error's own text, and a result of
    the wrong shape with an empty 500. API Gateway answers both with the same opaque 500.
    """
    failed = response.status == 502 and "errorMessage" in _object(response.body)
    if failed or (response.status == 500 and not response.body):
        request_id = [(key, value) for key, value in response.headers if key.lower() == "apigw-requestid"]
        return json_response(500, {"message": "Internal Server Error"}, *request_id)
    return response


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
