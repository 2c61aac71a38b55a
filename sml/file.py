"""Files that people name."""

from __future__ import annotations

import os
from pathlib import Path

from sml.mistake import Mistake


def content_of(file: Path) -> bytes:
    """Return what is in a file. Raise `Mistake` for one that cannot be read, is empty, or changes meanwhile."""
    if file.is_dir():
        raise Mistake(f"{file} is a folder; a file is accepted")
    try:
        with file.open("rb") as opened:
            before, content = os.fstat(opened.fileno()), opened.read()
            after = os.fstat(opened.fileno())
    except OSError as problem:
        raise Mistake(f"{file} cannot be read: {problem.strerror}") from None
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise Mistake(f"{file} was written while it was read; name it again when it is whole")
    if not content:
        raise Mistake(f"{file} is empty")
    return content


def require_place(file: Path) -> None:
    """Raise `Mistake` for a file that cannot be written where it is named: before the work whose result it gets."""
    if file.is_dir():
        raise Mistake(f"{file} is a folder; a file is accepted")
    if not file.absolute().parent.is_dir():
        raise Mistake(f"{file} cannot be written: there is no folder {file.absolute().parent}")
