"""SHA-256 by Python's own module or by OpenSSL, which is four times as fast and takes milliseconds to load."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from functions.core.onnx.tensor import Memory

_BUILT_IN = ("_sha2", "_sha256")
"""Python's own module, which `hashlib` uses where there is no OpenSSL: since Python 3.12, and before."""
_LARGE = 1_000_000
"""Bytes that Python's own module digests in about the time that loading OpenSSL takes."""


def sha256(*parts: Memory) -> bytes:
    """Return the digest of the concatenated parts: 32 bytes."""
    digest = _new_hash(sum(map(len, parts)))
    for part in parts:
        digest.update(part)
    return digest.digest()


def sha256_and_longer(first: Memory, rest: Memory) -> tuple[bytes, bytes]:
    """Return the digest of `first`, and that of `first` with `rest` behind it, without reading `first` twice."""
    digest = _new_hash(len(first) + len(rest))
    digest.update(first)
    longer = digest.copy()
    longer.update(rest)
    return digest.digest(), longer.digest()


def pseudonym(name: str, digits: int) -> str:
    """Return what is kept of a name that may be a person's: so many hexadecimal digits, the same for the same name."""
    return sha256(name.encode(errors="replace")).hex()[:digits]


def _new_hash(size: int):  # noqa: ANN202 - hashlib's own name for it, `_Hash`, is not public
    for name in _BUILT_IN if size < _LARGE else ():
        try:
            return import_module(name).sha256()
        except ImportError:
            continue
    import hashlib  # noqa: PLC0415 - see above

    return hashlib.sha256()
