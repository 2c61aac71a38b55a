"""Write JSON for responses and log lines, and choose the library that reads and writes JSON.

Importing orjson takes longer than reading and writing one small request with the standard
library. So orjson is used from the second request on, and for a large body.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from typing import TYPE_CHECKING, Any

from functions.core.http.messages import JSON, Response

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType


LONG = 50_000
"""Bytes of JSON that the standard library reads in about the time that importing orjson takes."""
_answered_once = threading.Event()


def note_first_answer() -> None:
    """Use orjson from now on: this process has answered once, and will probably answer again."""
    _answered_once.set()


def orjson_pays(size: int = 0) -> bool:
    """Return whether `size` bytes of JSON are worth importing orjson.

    Always true after the first answer, or once it is imported.
    """
    return _answered_once.is_set() or size >= LONG or "orjson" in sys.modules


def load_orjson() -> ModuleType:
    """Import orjson, on first use."""
    import orjson  # noqa: PLC0415 - see above

    return orjson


_EXPONENT = re.compile(r"\de[+-]")
"""The exponent of a number. The two libraries write it differently; orjson's way makes equal answers equal bytes."""


def dump_json(value: Any) -> bytes:
    """Return `value` as JSON without spaces.

    NaN and infinity become null; a value that JSON cannot express becomes its `str`.
    """
    if not orjson_pays():
        try:
            text = json.dumps(value, default=str, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
            if not _EXPONENT.search(text):
                return text.encode()
        except ValueError:
            pass  # NaN, infinity, or half of a surrogate pair
    orjson = load_orjson()
    try:
        return orjson.dumps(value, default=str)
    except orjson.JSONEncodeError:
        # Half of a surrogate pair, which a gateway's JSON may contain: it can be written as an escape.
        return json.dumps(value, default=str, separators=(",", ":")).encode()


def respond(value: object, status: int = 200, headers: Mapping[str, str] | None = None, kind: str = JSON) -> Response:
    """Return a response whose body is `value` as JSON, written by `dump_json`."""
    return Response(status=status, body=dump_json(value), headers={"content-type": kind, **(headers or {})})
