"""What the REST interfaces of Google's services have in common."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

Authorize = Callable[[str | None, str, str], bool]
"""Whether who sends a bearer token (None: none was sent) has a permission on a resource."""
ApiResponse = tuple[int, bytes]
"""A status and a JSON body."""

STATUS = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}


def bearer(headers: Mapping[str, str]) -> str | None:
    """The token of an Authorization header, whatever its case."""
    for name, value in headers.items():
        if name.lower() == "authorization" and value.lower().startswith("bearer "):
            return value[7:].strip()
    return None


def json_object(body: bytes) -> dict[str, Any]:
    """Raises `ValueError` for a body that is no JSON object; no body at all is an empty one."""
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        raise ValueError("the body is not JSON") from None
    if not isinstance(found, dict):
        raise ValueError("the body is a JSON object")
    return found


def ok(body: Mapping[str, Any]) -> ApiResponse:
    return 200, json.dumps(body).encode()


def problem(code: int, message: str) -> ApiResponse:
    """https://cloud.google.com/apis/design/errors"""
    return code, json.dumps({"error": {"code": code, "message": message, "status": STATUS[code]}}).encode()


def denied(permission: str, resource: str) -> ApiResponse:
    return problem(403, f"Permission '{permission}' denied on resource '{resource}'")
