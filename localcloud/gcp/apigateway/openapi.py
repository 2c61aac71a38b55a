"""An API Gateway configuration read: which call goes where, and what it must carry.

https://cloud.google.com/api-gateway/docs/oasv2-extensions. As much of OpenAPI 2 as is
understood here is taken; a document that says more is refused, by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch"})
ADDRESS_AND_PATH = "APPEND_PATH_TO_ADDRESS"
DEADLINE_SECONDS = 15.0
UNDERSTOOD = frozenset({"address", "jwt_audience", "path_translation", "deadline", "protocol"})


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """Whose signed tokens are accepted, and for whom they must be meant."""

    issuer: str
    audiences: tuple[str, ...]
    keys: str | None
    """Where the issuer publishes its keys; None when it says so itself, by OpenID Connect Discovery."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """Where one call goes."""

    address: str
    audience: str
    deadline: float
    """Seconds."""
    issuer: Issuer | None
    """None lets everybody in."""


@dataclass(frozen=True, kw_only=True)
class Path:
    template: str
    shape: re.Pattern[str]
    operations: Mapping[str, Operation]
    """By method, in capitals."""


def paths(document: Mapping[str, Any]) -> tuple[Path, ...]:
    """The paths of a document, those without variables first.

    Raises `ValueError` for what the gateway would refuse, and for what is not understood here.
    """
    issuers = {name: _issuer(name, found) for name, found in document.get("securityDefinitions", {}).items()}
    found = [
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
    return tuple(sorted(found, key=lambda path: path.template.count("{")))


def _shape(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^}]*\}", template)
    return re.compile("[^/]+".join(map(re.escape, parts)))


def _operation(
    where: str, operation: Mapping[str, Any], document: Mapping[str, Any], issuers: Mapping[str, Issuer]
) -> Operation:
    backend = operation.get("x-google-backend") or document.get("x-google-backend")
    if not backend:
        raise ValueError(f"{where}: has no x-google-backend")
    if unknown := backend.keys() - UNDERSTOOD:
        raise ValueError(f"{where}: x-google-backend: {', '.join(sorted(unknown))} is not understood here")
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
