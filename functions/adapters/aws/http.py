"""Read a request from an event of an HTTP API, and write a response as its answer: payload format 2.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from functions.adapters.aws.environment import called, composed, loaded
from functions.adapters.aws.warm import warm
from functions.core.http.messages import BINARY, Request, Response, caller_of
from functions.core.runtime.spans import Span
from interface.operations import REQUEST_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.api.service import Service
    from functions.core.runtime.environment import Environment

_LONGEST_BASE64 = (REQUEST_BYTES // 3 + 1) * 4
"""Characters that hold more bytes than a request may have."""


def handler(entry: Callable[[Environment], Service]) -> Callable[[dict[str, Any], object], dict[str, Any]]:
    """Return the Lambda function that answers an HTTP API by what `entry` composes."""

    def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
        request = request_of(event)
        return answer_of(composed(entry, request.span).answer(request))

    loaded()
    warm(entry)
    return handle


def request_of(event: Mapping[str, Any]) -> Request:
    """Return the request in an event. A body that is marked as Base64 and is not is taken as it is."""
    context = event.get("requestContext", {})
    http = context.get("http", {})
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    principal = _principal(context)
    own, cloud_id = called()
    span = Span.asked(headers, otherwise=own)
    span.cloud_id = cloud_id
    return Request(
        method=http.get("method", "GET"),
        path=_path(event, context.get("stage", "$default")),
        headers=headers,
        body=_body(event),
        caller=caller_of(headers, principal=principal, address=http.get("sourceIp", "")),
        request_id=context.get("requestId") or os.urandom(16).hex(),
        principal=principal,
        span=span,
    )


def answer_of(response: Response) -> dict[str, Any]:
    """Return a response as the gateway takes it."""
    binary = response.headers.get("content-type") == BINARY
    return {
        "statusCode": response.status,
        "headers": dict(response.headers),
        "body": _base64(response.body) if binary else response.body.decode(),
        "isBase64Encoded": binary,
    }


def _base64(content: bytes) -> str:
    import base64  # noqa: PLC0415

    return base64.b64encode(content).decode()


def _path(event: Mapping[str, Any], stage: str) -> str:
    path = event.get("rawPath") or "/"
    # The name of a stage, if it has one, begins the path.
    query = event.get("rawQueryString")
    return (path.removeprefix(f"/{stage}") or "/") + (f"?{query}" if query else "")


def _body(event: Mapping[str, Any]) -> bytes:
    """Return the body, with as much of one in Base64 as shows whether it is too large."""
    text = event.get("body") or ""
    if event.get("isBase64Encoded"):
        import base64  # noqa: PLC0415 - text comes as it is, and most requests are text

        try:
            return base64.b64decode(text[:_LONGEST_BASE64], validate=True)
        except ValueError:
            pass
    return text.encode("utf-8", "surrogatepass")


def _principal(context: Mapping[str, Any]) -> str | None:
    authorizer = context.get("authorizer") or {}
    subject = (authorizer.get("jwt") or {}).get("claims", {}).get("sub")
    return subject or (authorizer.get("iam") or {}).get("userArn")
