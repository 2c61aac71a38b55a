"""Reads the OpenAPI document of an API Gateway: where each request goes, and which token it needs.

https://cloud.google.com/api-gateway/docs/oasv2-extensions. A part of OpenAPI 2 and of the
extensions is implemented; a document that uses more is refused, and the message names what.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch"})
ADDRESS_AND_PATH = "APPEND_PATH_TO_ADDRESS"
DEADLINE_SECONDS = 15.0
IMPLEMENTED = frozenset({"address", "jwt_audience", "path_translation", "deadline", "protocol"})


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """An issuer whose signed tokens are accepted, and the audiences that they must name."""

    issuer: str
    audiences: tuple[str, ...]
    keys: str | None
    """The URL of the issuer's public keys; None: it is found by OpenID Connect Discovery."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """Where one kind of request is forwarded, and how."""

    address: str
    audience: str
    deadline: float
    """Seconds."""
    issuer: Issuer | None
    """None: no token is needed."""


@dataclass(frozen=True, kw_only=True)
class Path:
    """A path template, such as `/models/{name}`, and its operations."""

    template: str
    shape: re.Pattern[str]
    operations: Mapping[str, Operation]
    """By method in upper case."""


def paths(document: Mapping[str, Any]) -> tuple[Path, ...]:
    """Return the paths of a document, those with fewer variables first, and those that take any rest last.

    Raises `ValueError` for what API Gateway would refuse, and for what is not implemented here.
    """
    issuers = {name: _issuer(name, definition) for name, definition in document.get("securityDefinitions", {}).items()}
    items = [
        Path(
            template=template,
            shape=_shape(template),
            operations={
                method.upper(): _operation(f"{method} {template}", operation, document, issuers)
                for method, operation in item.items()
                if method in METHODS
            },
        )
        for template, item in document["paths"].items()
    ]
    return tuple(sorted(items, key=lambda path: ("=**}" in path.template, path.template.count("{"))))


def _shape(template: str) -> re.Pattern[str]:
    whole = template.removesuffix("{proxy=**}")
    parts = re.split(r"\{[^}]*\}", whole)
    return re.compile("[^/]+".join(map(re.escape, parts)) + (".*" if whole != template else ""))


def _operation(
    where: str, operation: Mapping[str, Any], document: Mapping[str, Any], issuers: Mapping[str, Issuer]
) -> Operation:
    backend = operation.get("x-google-backend") or document.get("x-google-backend")
    if not backend:
        raise ValueError(f"{where}: has no x-google-backend")
    if unknown := backend.keys() - IMPLEMENTED:
        raise ValueError(f"{where}: x-google-backend: {', '.join(sorted(unknown))} is not implemented here")
    if backend.get("path_translation") != ADDRESS_AND_PATH:
        raise ValueError(f"{where}: path_translation: {ADDRESS_AND_PATH} is accepted here")
    return Operation(
        address=backend["address"].rstrip("/"),
        audience=backend.get("jwt_audience", backend["address"]),
        deadline=float(backend.get("deadline", DEADLINE_SECONDS)),
        issuer=_required(where, operation.get("security", document.get("security", [])), issuers),
    )


def _required(where: str, security: list[Mapping[str, Any]], issuers: Mapping[str, Issuer]) -> Issuer | None:
    names = [name for alternative in security for name in alternative]
    if not names:
        return None
    if len(names) > 1:
        raise ValueError(f"{where}: security: one requirement is accepted here, not {', '.join(names)}")
    if names[0] not in issuers:
        raise ValueError(f"{where}: security: {names[0]} is not among the securityDefinitions")
    return issuers[names[0]]


def _issuer(name: str, definition: Mapping[str, Any]) -> Issuer:
    if definition.get("type") != "oauth2" or "x-google-issuer" not in definition:
        raise ValueError(f"securityDefinitions.{name}: type oauth2 with x-google-issuer is accepted here")
    return Issuer(
        issuer=str(definition["x-google-issuer"]),
        audiences=tuple(part.strip() for part in definition.get("x-google-audiences", "").split(",") if part.strip()),
        keys=definition.get("x-google-jwks_uri"),
    )
