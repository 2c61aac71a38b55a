"""The API as API Gateway's OpenAPI 2 document: routes to the functions, and who may call them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.vocabulary import ANY, Route

METRIC = "requests"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
"""The methods of a route by any method: OpenAPI has no word for it."""
REST, REST_HERE = "{proxy+}", "{proxy=**}"
"""The rest of a path in a route, and in this document: https://cloud.google.com/api-gateway/docs/path-templating"""


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """Whose signed tokens are accepted, and for which audiences they must be."""

    issuer: str
    audiences: tuple[str, ...]
    keys: str | None = None
    """The URL of the public keys, when OpenID discovery does not tell it."""


@dataclass(frozen=True, kw_only=True)
class HttpServer:
    """What the document says besides the routes."""

    description: str
    issuer: Issuer | None
    """None: open to everyone."""
    requests_a_minute: int
    timeout_seconds: int


def document(routes: Sequence[Route], addresses: Sequence[str], server: HttpServer) -> dict[str, Any]:
    """Return the document; `addresses` holds the URL of each route's function, in the same order."""
    paths: dict[str, dict[str, Any]] = {}
    for route, address in zip(routes, addresses, strict=True):
        for method in METHODS if route.method == ANY else (route.method,):
            path = route.path.replace(REST, REST_HERE)
            paths.setdefault(path, {})[method.lower()] = _operation(route, method, address, server)
    api = {
        "swagger": "2.0",
        "info": {"title": "predictions", "description": server.description, "version": "1"},
        "schemes": ["https"],
        "produces": ["application/json"],
        "paths": paths,
        "x-google-management": _management(server.requests_a_minute),
    }
    if server.issuer is not None:
        api |= {"securityDefinitions": {"token": _definition(server.issuer)}, "security": [{"token": []}]}
    return api


def _operation(route: Route, method: str, address: str, server: HttpServer) -> dict[str, Any]:
    return {
        "operationId": f"{route.operation}_{method.lower()}" if route.method == ANY else route.operation,
        "parameters": [
            {"name": name, "in": "path", "required": True, "type": "string"}
            for name in re.findall(r"\{(\w+)\+?\}", route.path)
        ],
        "responses": {"default": {"description": "what the function answers"}},
        "x-google-backend": {
            "address": address,
            "jwt_audience": address,
            "path_translation": "APPEND_PATH_TO_ADDRESS",
            "deadline": server.timeout_seconds,
        },
        "x-google-quota": {"metricCosts": {METRIC: 1}},
    }


def _definition(issuer: Issuer) -> Mapping[str, str]:
    """Return what declares a JWT: an OAuth 2 flow without a URL.

    https://cloud.google.com/api-gateway/docs/oasv2-extensions
    """
    definition = {
        "type": "oauth2",
        "flow": "implicit",
        "authorizationUrl": "",
        "x-google-issuer": issuer.issuer,
        "x-google-audiences": ",".join(issuer.audiences),
    }
    if issuer.keys:
        definition["x-google-jwks_uri"] = issuer.keys
    return definition


def _management(requests_a_minute: int) -> dict[str, Any]:
    limit = {
        "name": f"{METRIC}-a-minute",
        "metric": METRIC,
        "unit": "1/min/{project}",
        "values": {"STANDARD": requests_a_minute},
    }
    metric = {"name": METRIC, "displayName": METRIC, "valueType": "INT64", "metricKind": "DELTA"}
    return {"metrics": [metric], "quota": {"limits": [limit]}}
