"""Requests and responses that the REST interfaces of Google's services have in common."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

Authorize = Callable[[str | None, str, str], bool]
"""Takes a bearer token (None: none was sent), a permission and a resource; returns whether the caller has it."""
ApiResponse = tuple[int, bytes]
"""A status and a JSON body."""

STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}


def bearer(headers: Mapping[str, str]) -> str | None:
    """Return the bearer token of a request; None without one."""
    for name, value in headers.items():
        if name.lower() == "authorization" and value.lower().startswith("bearer "):
            return value[7:].strip()
    return None


def json_object(body: bytes) -> dict[str, Any]:
    """Parse a body, of which an empty one is an empty object. Raises `ValueError` for one that is no JSON object."""
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        raise ValueError("the body is not JSON") from None
    if not isinstance(document, dict):
        raise ValueError("the body is not a JSON object")
    return document


def ok(body: Mapping[str, Any]) -> ApiResponse:
    """Return a 200 with a JSON body."""
    return 200, json.dumps(body).encode()


def problem(code: int, message: str) -> ApiResponse:
    """Return an error response: https://cloud.google.com/apis/design/errors."""
    return code, json.dumps({"error": {"code": code, "message": message, "status": STATUS[code]}}).encode()


def denied(permission: str, resource: str) -> ApiResponse:
    """Return the 403 of a caller that lacks a permission."""
    return problem(403, f"Permission '{permission}' denied on resource '{resource}'")


def service_off(service: str) -> ApiResponse:
    """Return the 403 of a service that is not on in the project: https://cloud.google.com/apis/design/errors."""
    detail = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "SERVICE_DISABLED",
        "domain": "googleapis.com",
        "metadata": {"service": service},
    }
    error = {"code": 403, "message": f"{service} is not on", "status": STATUS[403], "details": [detail]}
    return 403, json.dumps({"error": error}).encode()
