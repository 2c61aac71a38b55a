"""SHA-256. OpenSSL's is four times as fast as the one that Python brings along, and takes milliseconds to load."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from functions.core.onnx.tensor import Memory

_OWN = ("_sha2", "_sha256")
"""Where Python's own lies, as `hashlib` finds it where there is no OpenSSL: since 3.12, and before."""
_MUCH = 1_000_000
"""Bytes that Python's own digests in about the time of the load."""


def sha256(*parts: Memory) -> bytes:
    """The digest of all parts, one after the other: 32 bytes."""
    whole = _made(sum(map(len, parts)))
    for part in parts:
        whole.update(part)
    return whole.digest()


def _made(size: int):  # noqa: ANN202 - hashlib's own name for it, `_Hash`, is not public
    for name in _OWN if size < _MUCH else ():
        try:
            return import_module(name).sha256()
        except ImportError:
            continue
    import hashlib  # noqa: PLC0415 - see above

    return hashlib.sha256()
