"""The fingerprint of a resource's inputs, by which a change is noticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi


def fingerprint(inputs: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the inputs in canonical JSON, in hex; a file counts by its content, not by its path."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True, default=_content).encode()).hexdigest()


def content(value: object) -> bytes:
    """Return the bytes of an asset, or of an archive that is one file.

    Raises `TypeError` for any other value.
    """
    match value:
        case pulumi.FileAsset() | pulumi.FileArchive():
            return Path(value.path).read_bytes()
        case pulumi.StringAsset():
            return value.text.encode()
        case _:
            raise TypeError(f"{type(value).__name__} has no content that can be read here")


def digest(value: object) -> str:
    """Return the SHA-256 of `content(value)`, in hex, without reading a whole file into memory."""
    if isinstance(value, pulumi.FileAsset | pulumi.FileArchive):
        with Path(value.path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(content(value)).hexdigest()


def _content(value: object) -> object:
    if isinstance(value, pulumi.AssetArchive):
        return {"archive": value.assets}
    return {"sha256": digest(value)}
