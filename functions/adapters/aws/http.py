"""An HTTP API's event as a request, and a response as its answer: payload format 2.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import binascii
import os
from typing import TYPE_CHECKING, Any

from functions.core.caller import caller_of
from functions.core.http import BINARY, Request, Response

if TYPE_CHECKING:
    from collections.abc import Mapping


def request_of(event: Mapping[str, Any]) -> Request:
    """The request in an event. A body that is no Base64, though it should be, is taken as it stands."""
    context = event.get("requestContext", {})
    http = context.get("http", {})
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    return Request(
        method=http.get("method", "GET"),
        path=_path(event, context.get("stage", "$default")),
        headers=headers,
        body=_body(event),
        caller=caller_of(headers, principal=_principal(context), address=http.get("sourceIp", "")),
        request_id=context.get("requestId") or os.urandom(16).hex(),
    )


def answer_of(response: Response) -> dict[str, Any]:
    """The answer that the gateway takes."""
    binary = response.headers.get("content-type") == BINARY
    return {
        "statusCode": response.status,
        "headers": dict(response.headers),
        "body": base64.b64encode(response.body).decode() if binary else response.body.decode(),
        "isBase64Encoded": binary,
    }


def _path(event: Mapping[str, Any], stage: str) -> str:
    path = event.get("rawPath") or "/"
    # A stage with a name stands before the path.
    return path.removeprefix(f"/{stage}") or "/"


def _body(event: Mapping[str, Any]) -> bytes:
    text = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            pass
    return text.encode("utf-8", "surrogatepass")


def _principal(context: Mapping[str, Any]) -> str | None:
    authorizer = context.get("authorizer") or {}
    subject = (authorizer.get("jwt") or {}).get("claims", {}).get("sub")
    return subject or (authorizer.get("iam") or {}).get("userArn")
