"""The embedded Cloud Storage: both of its interfaces on one loopback address, in front of fake-gcs-server.

```
functions (XML) --+
                  +--> server --> authorize --> fake-gcs-server (JSON)
you (JSON) -------+               new object --> finalized(bucket, key, generation, size)
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
from localcloud.gcp.storage.authorization import Authorize, Finalized
from localcloud.gcp.storage.emulator import Emulator, Stored, binary, object_path
from localcloud.gcp.storage.json_api import PREFIXES, JsonApi
from localcloud.gcp.storage.objects import Objects
from localcloud.gcp.storage.xml_api import XmlApi
from localcloud.support.http_server import HttpServer, Request, Response

LARGEST_REQUEST = 1024 * 1024 * 1024
"""The largest request, in bytes, all of which is held in memory."""


class Storage:
    """A Cloud Storage, empty at first.

    `python` is the interpreter of the emulator's environment, `workspace` the folder of its log.
    `authorize` is called for every request, and `finalized` for every new object, before its
    writer gets a response; what `finalized` raises is logged and has no other effect.
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
        self._server = HttpServer(self._answer, limit=LARGEST_REQUEST)
        self._emulator = Emulator(server, workspace, url=self.url, progress=progress)
        self._xml = XmlApi(self._emulator, authorize, self._announce)
        self._json = JsonApi(self._emulator, authorize, self._announce)

    @property
    def url(self) -> str:
        """The address for `STORAGE_EMULATOR_HOST`."""
        return self._server.url

    @property
    def pid(self) -> int:
        """The id of the emulator's process, and of its process group."""
        return self._emulator.pid

    @property
    def log(self) -> Path:
        return self._emulator.log

    def start(self) -> Self:
        """Start it and wait until it answers. Raises `CloudFailed` and leaves nothing running when it does not."""
        try:
            self._emulator.start()
        except BaseException:
            self.stop()
            raise
        return self

    def check(self) -> None:
        """Raise `CloudFailed`, which names the log, if it has ended by itself."""
        self._emulator.check()

    def stop(self) -> None:
        """Stop it. Safe to call twice."""
        self._server.close()
        self._emulator.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def create(self, bucket: str) -> None:
        """Create an empty bucket that keeps versions of its objects. Raises `CloudFailed` when it exists."""
        metadata = json.dumps({"name": bucket, "versioning": {"enabled": True}}).encode()
        response = self._emulator.send(
            "POST", "/storage/v1/b?project=local", metadata, {"Content-Type": "application/json"}
        )
        if response.status != 200:
            raise CloudFailed(f"gs://{bucket}: cannot be created: {response.body.decode(errors='replace')}")

    def has(self, bucket: str, key: str | None = None) -> bool:
        """Return whether a bucket exists, or an object in it."""
        path = object_path(bucket).removesuffix("/o") if key is None else object_path(bucket, key)
        return self._emulator.send("GET", path).status == 200

    def remove(self, bucket: str) -> None:
        """Delete a bucket and its objects. Safe to call twice."""
        while items := json.loads(self._emulator.send("GET", object_path(bucket)).body).get("items"):
            for item in items:
                self._emulator.send("DELETE", object_path(bucket, item["name"]))
        self._emulator.send("DELETE", object_path(bucket).removesuffix("/o"))

    def objects(self, bucket: str, token: str) -> Objects:
        """Return a bucket's objects, to be accessed with a token that `authorize` checks."""
        return Objects(self.url, bucket, token)

    def _answer(self, request: Request) -> Response:
        api = self._json if request.path.startswith(PREFIXES) else self._xml
        return api.answer(request)

    def _announce(self, stored: Stored) -> None:
        try:
            self._finalized(stored.bucket, stored.key, stored.generation, stored.size)
        except Exception:
            with self.log.open("a", encoding="utf-8") as log:
                log.write(f"gs://{stored.bucket}/{stored.key}: not announced\n{traceback.format_exc()}")
