"""SHA-256 by Python's own module or by OpenSSL, which is four times as fast and takes milliseconds to load."""

from __future__ import annotations

from functools import cache
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from functions.core.onnx.tensor import Memory

_BUILT_IN = ("_sha2", "_sha256")
"""Python's own module, which `hashlib` uses where there is no OpenSSL: since Python 3.12, and before."""
_BLOCK = 64
"""Bytes that SHA-256 takes at once."""
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


def keyed(key: bytes) -> Callable[[bytes], bytes]:
    """Return what digests a message with a key: HMAC-SHA-256, as RFC 2104 has it, 32 bytes."""
    secret = (sha256(key) if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner, outer = _new_hash(0), _new_hash(0)
    inner.update(bytes(byte ^ 0x36 for byte in secret))
    outer.update(bytes(byte ^ 0x5C for byte in secret))

    def digest(message: bytes) -> bytes:
        within, around = inner.copy(), outer.copy()
        within.update(message)
        around.update(within.digest())
        return around.digest()

    return digest


def _new_hash(size: int):  # noqa: ANN202 - hashlib's own name for it, `_Hash`, is not public
    if size < _LARGE and (built_in := _built_in(_BUILT_IN)) is not None:
        return built_in.sha256()
    import hashlib  # noqa: PLC0415 - see above

    return hashlib.sha256()


@cache
def _built_in(names: tuple[str, ...]) -> ModuleType | None:
    """Return Python's own module; None where there is none. To look for one that is not there takes 0.2 ms."""
    for name in names:
        try:
            return import_module(name)
        except ImportError:
            continue
    return None
