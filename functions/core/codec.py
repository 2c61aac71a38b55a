"""orjson, as soon as it pays: to import it takes longer than to read and write a first, small request without it."""

from __future__ import annotations

import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

LONG = 50_000
"""Bytes of JSON that the standard library needs as long for as the import takes."""
_settled = threading.Event()


def settle() -> None:
    """The first answer of this process is made: there will be others."""
    _settled.set()


def pays(size: int = 0) -> bool:
    """Is so much JSON worth the import? Always, once there was an answer, or the import."""
    return _settled.is_set() or size >= LONG or "orjson" in sys.modules


def orjson() -> ModuleType:
    """The package, imported when it is first asked for."""
    import orjson  # noqa: PLC0415 - see above

    return orjson
