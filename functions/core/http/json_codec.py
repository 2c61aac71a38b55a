"""JSON as it leaves, for answers and lines of the log, and which library reads and writes it.

orjson serves as soon as it pays: to import it takes longer than to read and write a first, small
request by the standard library.
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
"""Bytes of JSON that the standard library needs as long for as the import takes."""
_settled = threading.Event()


def note_first_answer() -> None:
    """Use orjson from now on: this process has answered once, and will answer again."""
    _settled.set()


def orjson_pays(size: int = 0) -> bool:
    """Return whether `size` bytes of JSON are worth importing orjson.

    Always true after the first answer, or once it is imported.
    """
    return _settled.is_set() or size >= LONG or "orjson" in sys.modules


def load_orjson() -> ModuleType:
    """Import orjson, on first use."""
    import orjson  # noqa: PLC0415 - see above

    return orjson


_EXPONENT = re.compile(r"\de[+-]")
"""Of a number. The two spell it differently, and the same answer is the same bytes, the first time, too."""


def dump_json(value: Any) -> bytes:
    """JSON without spaces; NaN and infinity become null, and what is no JSON its text."""
    if not orjson_pays():
        try:
            text = json.dumps(value, default=str, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
            if not _EXPONENT.search(text):
                return text.encode()
        except ValueError:
            pass  # NaN, infinity, or no Unicode
    orjson = load_orjson()
    try:
        return orjson.dumps(value, default=str)
    except orjson.JSONEncodeError:
        # Half of a surrogate pair, which a gateway's own JSON may have spelt: escaped, it can be written.
        return json.dumps(value, default=str, separators=(",", ":")).encode()


def respond(value: object, status: int = 200, headers: Mapping[str, str] | None = None, kind: str = JSON) -> Response:
    """`value` as JSON, by `dump_json`."""
    return Response(status=status, body=dump_json(value), headers={"content-type": kind, **(headers or {})})
