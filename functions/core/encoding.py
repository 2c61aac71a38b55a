"""JSON as it leaves: answers, and lines of the log."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from functions.core import codec
from functions.core.http import JSON, Response

if TYPE_CHECKING:
    from collections.abc import Mapping


_EXPONENT = re.compile(r"\de[+-]")
"""Of a number. The two spell it differently, and the same answer is the same bytes, the first time, too."""


def dump_json(value: Any) -> bytes:
    """JSON without spaces; NaN and infinity become null, and what is no JSON its text."""
    if not codec.pays():
        try:
            text = json.dumps(value, default=str, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
            if not _EXPONENT.search(text):
                return text.encode()
        except ValueError:
            pass  # NaN, infinity, or no Unicode
    orjson = codec.orjson()
    try:
        return orjson.dumps(value, default=str)
    except orjson.JSONEncodeError:
        # Half of a surrogate pair, which a gateway's own JSON may have spelt: escaped, it can be written.
        return json.dumps(value, default=str, separators=(",", ":")).encode()


def respond(value: object, status: int = 200, headers: Mapping[str, str] | None = None, kind: str = JSON) -> Response:
    """`value` as JSON, by `dump_json`."""
    return Response(status=status, body=dump_json(value), headers={"content-type": kind, **(headers or {})})
