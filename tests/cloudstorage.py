"""A local Cloud Storage for tests, that remembers who asked for what and which objects it announced."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from functions.core.storage.objects import Objects
from functions.core.storage.store_url import open_store
from localcloud.gcp.storage import Storage
from tests.root import ROOT

PYTHON = ROOT / ".local" / "emulator-gcp" / "bin" / "python"
TOKEN = "everybody"
Asked = tuple[str | None, str, str, str | None]


class CloudStorage:
    """A Storage that is up; `may` decides, and lets everybody do everything until it is told otherwise."""

    def __init__(self, workspace: Path) -> None:
        self.storage = Storage(PYTHON, workspace, authorize=self.authorize, finalized=self.finalized)
        self.may: Callable[[Asked], bool] = lambda _: True
        self.asked: list[Asked] = []
        self.announced: list[tuple[str, str, int, int]] = []

    def authorize(self, token: str | None, verb: str, bucket: str, key: str | None) -> bool:
        self.asked.append((token, verb, bucket, key))
        return self.may((token, verb, bucket, key))

    def finalized(self, bucket: str, key: str, generation: int, size: int) -> None:
        self.announced.append((bucket, key, generation, size))

    def bucket(self, name: str) -> Objects:
        """A new bucket, opened as the functions open theirs."""
        self.storage.create(name)
        return open_store(f"gs://{name}", options={"base_url": self.storage.url, "bearer_token": TOKEN})

    def send(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """A request without a token, unless the headers bring one."""
        port = urlsplit(self.storage.url).port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()


@contextmanager
def cloud_storage(workspace: Path) -> Generator[CloudStorage, None, None]:
    found = CloudStorage(workspace)
    with found.storage:
        yield found
