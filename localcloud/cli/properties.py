"""The properties of a resource, as the Pulumi CLI sends them to a provider and keeps them in a stack's state.

Both are protobuf `Struct`s. An asset or an archive is an object in them with a signature; in the state it has
its hash, and no path. A value that is not known yet, in a preview, is the text `UNKNOWN`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from google.protobuf.struct_pb2 import Struct  # ty: ignore[missing-module-member] - protobuf makes it when it is imported
from pulumi.runtime import rpc

UNKNOWN: Final = rpc.UNKNOWN
GENERATION: Final = "__generation"
"""The input that `Check` adds: it makes the physical name of a resource unique, and another one once it is replaced.

The CLI keeps what begins with two underscores and never shows it.
"""

LITERAL: Final = frozenset({"content", "variables", "environmentVariables"})
"""The inputs whose text is compared as it is written."""

_SIGNATURE: Final = rpc._special_sig_key
_ASSET, _ARCHIVE, _SECRET = rpc._special_asset_sig, rpc._special_archive_sig, rpc._special_secret_sig


@dataclass(frozen=True, kw_only=True)
class Stored:
    """An asset or an archive of the state. Its content is no longer known, only the SHA-256 of it."""

    hash: str


def read(struct: Struct) -> dict[str, Any]:
    """Return properties as Python values, whole numbers as integers.

    What has a path or a text is one of Pulumi's assets or archives; what has a hash alone is `Stored`.
    """
    return {key: _value(inner) for key, inner in plain(struct).items()}


def plain(struct: Struct) -> dict[str, Any]:
    """Return the JSON that a `Struct` stands for, whole numbers as integers."""
    return {key: _json(inner) for key, inner in struct.fields.items()}


def write(properties: Mapping[str, Any]) -> Struct:
    """Return properties as a `Struct`, without the assets and archives among them: no program reads those."""
    struct = Struct()
    struct.update({key: inner for key, inner in properties.items() if not _is_content(inner)})
    return struct


def comparable(value: Any, key: str = "") -> Any:
    """Return what the properties mean: an asset is its hash, and a text that is JSON is its document.

    The content of an object and the variables of a function are what they are, byte by byte.
    """
    match value:
        case dict() if value.get(_SIGNATURE) in (_ASSET, _ARCHIVE):
            return {"hash": value.get("hash") or value}
        case dict():
            within = key if key in LITERAL else ""
            return {name: comparable(inner, within or name) for name, inner in value.items() if name != GENERATION}
        case list():
            return [comparable(inner, key) for inner in value]
        case str() if key not in LITERAL:
            return _document(value)
        case bool():
            return {"flag": value}
        case _:
            return value


def _document(text: str) -> Any:
    """Return a text, or the document in it if it is JSON."""
    if text[:1] not in ("{", "["):
        return text
    try:
        return {"json": json.dumps(json.loads(text), sort_keys=True)}
    except ValueError:
        return text


def is_unknown(value: Any) -> bool:
    """Return whether any part of a value is not known yet."""
    match value:
        case dict():
            return any(is_unknown(inner) for inner in value.values())
        case list():
            return any(is_unknown(inner) for inner in value)
        case _:
            return value == UNKNOWN


def _json(value: Any) -> Any:
    match value.WhichOneof("kind"):
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "struct_value":
            return plain(value.struct_value)
        case "list_value":
            return [_json(inner) for inner in value.list_value.values]
        case "null_value" | None:
            return None
        case kind:
            return getattr(value, kind)


def _value(value: Any) -> Any:
    match value:
        case dict() if value.get(_SIGNATURE) in (_ASSET, _ARCHIVE):
            return _content(value)
        case dict() if value.get(_SIGNATURE) == _SECRET:
            return _value(value["value"])
        case dict():
            return {key: _value(inner) for key, inner in value.items()}
        case list():
            return [_value(inner) for inner in value]
        case _:
            return value


def _content(value: Mapping[str, Any]) -> Any:
    archive = value[_SIGNATURE] == _ARCHIVE
    if value.get("path"):
        return (pulumi.FileArchive if archive else pulumi.FileAsset)(value["path"])
    if value.get("uri"):
        return (pulumi.RemoteArchive if archive else pulumi.RemoteAsset)(value["uri"])
    if "assets" in value:
        members = {name: _value(inner) for name, inner in value["assets"].items()}
        if not any(isinstance(member, Stored) for member in members.values()):
            return pulumi.AssetArchive(members)
    if "text" in value:
        return pulumi.StringAsset(value["text"])
    return Stored(hash=value.get("hash", ""))


def _is_content(value: Any) -> bool:
    return isinstance(value, pulumi.Asset | pulumi.Archive | Stored)
