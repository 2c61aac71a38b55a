"""Objects that come in parts, kept until they are whole."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Upload:
    bucket: str
    key: str
    kind: str | None
    """Its content type."""
    parts: dict[int, bytes] = field(default_factory=dict)


class Uploads:
    """Uploads that have begun. One is known by its name together with its object; of another, nothing is known."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun: dict[str, Upload] = {}

    def begin(self, bucket: str, key: str, kind: str | None) -> str:
        """Returns the name."""
        name = secrets.token_hex(16)
        with self._lock:
            self._begun[name] = Upload(bucket=bucket, key=key, kind=kind)
        return name

    def find(self, name: str, bucket: str, key: str) -> Upload | None:
        with self._lock:
            upload = self._begun.get(name)
        return upload if upload and (upload.bucket, upload.key) == (bucket, key) else None

    def add(self, upload: Upload, number: int, data: bytes) -> None:
        """Sent again, a part replaces what it was."""
        with self._lock:
            upload.parts[number] = data

    def whole(self, upload: Upload, numbers: Sequence[int]) -> bytes | None:
        """The parts that are listed, rising, put together; None when one of them never came."""
        with self._lock:
            if not numbers or list(numbers) != sorted(set(numbers)) or set(numbers) - set(upload.parts):
                return None
            return b"".join(upload.parts[number] for number in numbers)

    def forget(self, name: str) -> None:
        with self._lock:
            self._begun.pop(name, None)
