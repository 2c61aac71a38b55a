"""The embedded Cloud Storage: both of its interfaces on one loopback address, before fake-gcs-server.

```
functions (XML) --+
                  +--> door --> may they? --> fake-gcs-server (JSON)
a person (JSON) --+             new object --> finalized(bucket, key, generation, size)
```
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from localcloud.engine.cloud import CloudFailed
from localcloud.gcp.storage.emulator import Emulator, Stored, binary, place
from localcloud.gcp.storage.gate import Authorize, Finalized
from localcloud.gcp.storage.json_api import PREFIXES, JsonApi
from localcloud.gcp.storage.objects import Objects
from localcloud.gcp.storage.xml_api import XmlApi
from localcloud.support.http_server import HttpServer, Request, Response

LARGEST = 1024 * 1024 * 1024
"""Bytes of a request: all of it is held in memory."""


class Storage:
    """A Cloud Storage that is up, and empty.

    `python` is the interpreter of the emulator's environment, `room` a folder for its log.
    `authorize` is asked about every request, `finalized` is told of every new object before
    its writer gets an answer; what it raises is written to the log and changes nothing.
    """

    def __init__(
        self,
        python: Path,
        workspace: Path,
        *,
        authorize: Authorize,
        finalized: Finalized,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._finalized = finalized
        server = binary(python.parents[1])
        self._server = HttpServer(self._answer, limit=LARGEST)
        self._emulator = Emulator(server, workspace, url=self.url, progress=progress)
        self._xml = XmlApi(self._emulator, authorize, self._written)
        self._json = JsonApi(self._emulator, authorize, self._written)

    @property
    def url(self) -> str:
        """What `STORAGE_EMULATOR_HOST` is to be."""
        return self._server.url

    @property
    def pid(self) -> int:
        """The emulator's process and its group."""
        return self._emulator.pid

    @property
    def log(self) -> Path:
        return self._emulator.log

    def start(self) -> Self:
        """Start it and wait until it answers. Raises `CloudFailed`, and then nothing is left running."""
        try:
            self._emulator.start()
        except BaseException:
            self.stop()
            raise
        return self

    def check(self) -> None:
        """Raises `CloudFailed`, with the log's name, if it has ended by itself."""
        self._emulator.check()

    def stop(self) -> None:
        """End it. Safe to call twice."""
        self._server.close()
        self._emulator.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def create(self, bucket: str) -> None:
        """Make an empty bucket that keeps the versions of its objects. Raises `CloudFailed` when it is there."""
        about = json.dumps({"name": bucket, "versioning": {"enabled": True}}).encode()
        found = self._emulator.send("POST", "/storage/v1/b?project=local", about, {"Content-Type": "application/json"})
        if found.status != 200:
            raise CloudFailed(f"gs://{bucket}: cannot be made: {found.body.decode(errors='replace')}")

    def remove(self, bucket: str) -> None:
        """Remove a bucket and all that it holds. Safe to call twice."""
        while items := json.loads(self._emulator.send("GET", place(bucket)).body).get("items"):
            for item in items:
                self._emulator.send("DELETE", place(bucket, item["name"]))
        self._emulator.send("DELETE", place(bucket).removesuffix("/o"))

    def objects(self, bucket: str, token: str) -> Objects:
        """A bucket's objects, through the door: `authorize` is asked about the token."""
        return Objects(self.url, bucket, token)

    def _answer(self, request: Request) -> Response:
        api = self._json if request.path.startswith(PREFIXES) else self._xml
        return api.answer(request)

    def _written(self, stored: Stored) -> None:
        try:
            self._finalized(stored.bucket, stored.key, stored.generation, stored.size)
        except Exception:
            with self.log.open("a", encoding="utf-8") as log:
                log.write(f"gs://{stored.bucket}/{stored.key}: not announced\n{traceback.format_exc()}")
