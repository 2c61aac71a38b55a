"""What a Cloud Run function is told by its environment: the only reader of it."""

from __future__ import annotations

import os
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from functions.core.runtime.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Made = TypeVar("Made")
METADATA = ("GCE_METADATA_HOST", "GCE_METADATA_IP")
"""Where the client asks for a token; it tries the second, too, when the first does not answer."""
NOBODY = "nobody"
"""A token that stands for no account."""
_ONCE = Lock()


def composed(entry: Callable[[Environment], Made]) -> Made:
    """What the entry makes of this function's variables, made once in each copy of the function."""
    with _ONCE:
        return _composed(entry)


@cache
def _composed(entry: Callable[[Environment], Any]) -> Any:
    told = Environment(os.environ, store_options=store_options(os.environ), log_level_name="severity")
    return entry(told)


def store_options(values: Mapping[str, str]) -> dict[str, Any]:
    """How stores are reached: as the function's own service account, by a token of the metadata server.

    `STORAGE_EMULATOR_HOST` names another Cloud Storage. There, a token is asked for only where
    the metadata server is another one, too: its well-known addresses are not on this machine.
    """
    emulator = values.get("STORAGE_EMULATOR_HOST")
    if not emulator:
        return {}
    told = {"base_url": emulator if "://" in emulator else f"http://{emulator}"}
    # `skip_signature` is no way out: the client minds it when it reads, not when it writes.
    return told if all(values.get(name) for name in METADATA) else {**told, "bearer_token": NOBODY}
