"""The objects of a bucket of Cloud Storage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import obstore
from obstore.store import GCSStore

SECONDS = 30
"""How long a page of a list may take."""


class Objects:
    """The objects of one bucket, accessed with a bearer token."""

    def __init__(self, url: str, bucket: str, token: str) -> None:
        self.bucket, self._url, self._token = bucket, url, token
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
        """Return every key that begins with `prefix`, sorted: also those that the functions' client does not take."""
        names: list[str] = []
        page: dict[str, Any] = {"nextPageToken": ""}
        while "nextPageToken" in page:
            query = urlencode({"prefix": prefix, "pageToken": page["nextPageToken"]})
            address = f"{self._url}/storage/v1/b/{self.bucket}/o?{query}"
            request = Request(address, headers={"Authorization": f"Bearer {self._token}"})  # noqa: S310
            with urlopen(request, timeout=SECONDS) as response:  # noqa: S310 - of the embedded Cloud Storage
                page = json.load(response)
            names += [item["name"] for item in page.get("items", ())]
        return sorted(names)
