"""Multipart uploads of the XML interface, kept until they are completed."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A multipart upload that has begun."""

    bucket: str
    key: str
    kind: str | None
    """The object's content type."""
    parts: dict[int, bytes] = field(default_factory=dict)
    """The content of each part, by its number."""


class Uploads:
    """The uploads that have begun and are neither completed nor aborted, by id."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uploads: dict[str, Upload] = {}

    def begin(self, bucket: str, key: str, kind: str | None) -> str:
        """Begin an upload and return its id."""
        upload_id = secrets.token_hex(16)
        with self._lock:
            self._uploads[upload_id] = Upload(bucket=bucket, key=key, kind=kind)
        return upload_id

    def find(self, upload_id: str, bucket: str, key: str) -> Upload | None:
        """Return an upload by its id, if it is one of this object."""
        with self._lock:
            upload = self._uploads.get(upload_id)
        return upload if upload and (upload.bucket, upload.key) == (bucket, key) else None

    def add(self, upload: Upload, number: int, data: bytes) -> None:
        """Add a part, or replace the one with its number."""
        with self._lock:
            upload.parts[number] = data

    def whole(self, upload: Upload, numbers: Sequence[int]) -> bytes | None:
        """Return the listed parts joined; None when one is missing or the numbers do not rise."""
        with self._lock:
            if not numbers or list(numbers) != sorted(set(numbers)) or set(numbers) - set(upload.parts):
                return None
            return b"".join(upload.parts[number] for number in numbers)

    def forget(self, upload_id: str) -> None:
        """Remove an upload, which was completed or aborted."""
        with self._lock:
            self._uploads.pop(upload_id, None)
