"""Who asks: callers are split between versions by it, and their idempotency keys are kept apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADER = "x-caller-id"
_LONGEST = 256


def caller_of(headers: Mapping[str, str], *, principal: str | None, address: str) -> str:
    """What the caller says, else who was authenticated, else where the request comes from.

    `headers` are named in lower case. The answer tells the three apart and is no proof of
    anything: a caller may call itself what it likes.
    """
    if given := headers.get(HEADER, "").strip():
        return f"id:{given[:_LONGEST]}"
    return f"principal:{principal}" if principal else f"address:{address}"
