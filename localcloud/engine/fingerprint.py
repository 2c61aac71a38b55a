"""A short name for the inputs of a resource: the same inputs, the same name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi


def fingerprint(inputs: Mapping[str, Any]) -> str:
    """SHA-256 over the inputs in canonical JSON; a file counts by its content, never by its path."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True, default=_content).encode()).hexdigest()


def content(value: object) -> bytes:
    """The bytes of an asset, or of an archive that is a file.

    Raises `TypeError` for what has no bytes of its own.
    """
    match value:
        case pulumi.FileAsset() | pulumi.FileArchive():
            return Path(value.path).read_bytes()
        case pulumi.StringAsset():
            return value.text.encode()
        case _:
            raise TypeError(f"{type(value).__name__} has no content that can be read here")


def digest(value: object) -> str:
    """SHA-256 of `content`, without holding a file in memory."""
    if isinstance(value, pulumi.FileAsset | pulumi.FileArchive):
        with Path(value.path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(content(value)).hexdigest()


def _content(value: object) -> object:
    if isinstance(value, pulumi.AssetArchive):
        return {"archive": value.assets}
    return {"sha256": digest(value)}
