"""The builds of one project's archives, each built once."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections import defaultdict
from pathlib import Path

from localcloud.gcp.cloudrun.build import Build, build
from localcloud.support.workspace import clear


class Builds:
    """Keeps builds in folders below `folder`, by the digest of the archive."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._builds: dict[str, Build] = {}

    def of(self, name: str, archive: bytes) -> Build:
        """Return the build of an archive, which is built once. Raises `CloudFailed`, which names `name`."""
        digest = hashlib.sha256(archive).hexdigest()[:32]
        with self._lock:
            lock = self._locks[digest]
        with lock:
            if digest not in self._builds:
                self._builds[digest] = self._build(name, archive, digest)
            return self._builds[digest]

    def clear(self) -> None:
        """Remove every build. Safe to call twice."""
        clear(self._folder)

    def _build(self, name: str, archive: bytes, digest: str) -> Build:
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            file = Path(folder) / name
            file.write_bytes(archive)
            return build(file, self._folder / digest)
