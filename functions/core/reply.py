"""A response that is JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.body import dump_json
from functions.core.http import JSON, Response

if TYPE_CHECKING:
    from collections.abc import Mapping


def json_response(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None, kind: str = JSON
) -> Response:
    """`value` as JSON. NaN and infinity, which are none, become null: what leaves here every client can read."""
    return Response(status=status, body=dump_json(value), headers={"content-type": kind, **(headers or {})})
