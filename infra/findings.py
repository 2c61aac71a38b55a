"""What was found in texts, kept from one run to the next: to parse them all takes longer than to draw the stack.

A finding is kept under the digest of its text and of the code that looked, so none is out of date. Where they are kept
is a file as others in the cache: one that is missing or damaged is as good as empty, and is written anew.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import TypeAdapter

F = TypeVar("F")
FILE = "modules.json"
MOST = 1000
"""Findings that are kept, the last that were used: five times as many as a stack has modules."""


class Findings(Generic[F]):
    """Findings of one type, by their names; `every` reads and writes them, and `code` are the files that find them."""

    def __init__(self, every: TypeAdapter[dict[str, F]], code: Iterable[str]) -> None:
        self._file = every
        digest = hashlib.sha256(repr(sys.version_info).encode())
        for file in code:
            digest.update(Path(file).read_bytes())
        self._code = digest.digest()
        self._before: dict[str, F] = {}
        self._used: dict[str, F] = {}

    def name(self, path: str, text: str) -> str:
        """Return the name of a finding: 32 hexadecimal digits."""
        return hashlib.sha256(b"\0".join((self._code, path.encode(), text.encode()))).hexdigest()[:32]

    def get(self, name: str) -> F | None:
        """Return what is known under a name, if anything is."""
        found = self._before.get(name)
        if found is not None:
            self._used[name] = found
        return found

    def put(self, name: str, found: F) -> None:
        """Keep a finding under its name."""
        self._used[name] = found

    @contextmanager
    def kept(self, folder: Path) -> Generator[None]:
        """Use what is kept in `folder`, and keep there what is found in the block, if the folder can be written."""
        before: dict[str, F] = {}
        with suppress(OSError, ValueError):
            before = self._file.validate_json((folder / FILE).read_bytes())
        self._before.update(before)
        yield
        if self._used.keys() - before.keys():
            former = {name: found for name, found in before.items() if name not in self._used}
            with suppress(OSError):
                self._write(folder, dict(list({**former, **self._used}.items())[-MOST:]))

    def _write(self, folder: Path, findings: dict[str, F]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f"{FILE}.{os.getpid()}"
        try:
            draft.write_bytes(self._file.dump_json(findings))
            draft.replace(folder / FILE)
        finally:
            draft.unlink(missing_ok=True)
