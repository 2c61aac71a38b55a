"""The objects of a bucket of Cloud Storage."""

from __future__ import annotations

from pathlib import Path

import obstore
from obstore.store import GCSStore


class Objects:
    """The objects of one bucket, accessed with a bearer token."""

    def __init__(self, url: str, bucket: str, token: str) -> None:
        self.bucket = bucket
        self._store = GCSStore(bucket, base_url=url, bearer_token=token, client_options={"allow_http": True})

    def put(self, key: str, content: bytes | Path) -> None:
        """Create or replace an object from bytes or from a file."""
        obstore.put(self._store, key, content)

    def get(self, key: str) -> bytes:
        """Return the content of an object. Raises `FileNotFoundError` when there is no such object."""
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except FileNotFoundError:
            raise FileNotFoundError(f"gs://{self.bucket}/{key}") from None

    def keys(self, prefix: str = "") -> list[str]:
        """Return every key that begins with `prefix`, sorted."""
        pages = obstore.list(self._store, prefix.rpartition("/")[0] or None)
        return sorted(path for page in pages for entry in page if (path := entry["path"]).startswith(prefix))
