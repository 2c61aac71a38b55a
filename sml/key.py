"""Keys of objects that people name."""

from __future__ import annotations

from sml.mistake import Mistake

LONGEST = 1024
"""Bytes that S3 and Cloud Storage take."""


def checked(key: str) -> str:
    """Return a key that every store takes and lists. Raise `Mistake` for any other."""
    parts = key.split("/")
    if not key or any(part in ("", ".", "..") for part in parts):
        raise Mistake(
            f"{key!r} is no key of an object: names between single slashes are accepted, none of them . or .."
        )
    if not key.isprintable() or len(key.encode()) > LONGEST:
        raise Mistake(f"{key[:80]!r} is no key of an object: at most {LONGEST:,} bytes of printable characters")
    return key
