"""Files that people name."""

from __future__ import annotations

from pathlib import Path

from sml.mistake import Mistake


def content_of(file: Path) -> bytes:
    """Return what is in a file. Raise `Mistake` for one that cannot be read, or is empty."""
    if file.is_dir():
        raise Mistake(f"{file} is a folder; a file is accepted")
    try:
        content = file.read_bytes()
    except OSError as problem:
        raise Mistake(f"{file} cannot be read: {problem.strerror}") from None
    if not content:
        raise Mistake(f"{file} is empty")
    return content
