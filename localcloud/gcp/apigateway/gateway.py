"""API Gateway: routes requests to functions by its OpenAPI document."""

from __future__ import annotations

import base64
import http.client
import json
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import jwt

from localcloud.gcp.apigateway.openapi import Issuer, Operation, Path, paths
from localcloud.gcp.iam.accounts import bearer
from localcloud.gcp.iam.signer import ALGORITHMS, Signer
from localcloud.support.http_client import Upstream
from localcloud.support.http_server import HttpServer, Request, Response, json_response
from localcloud.support.ports import LOOPBACK

LARGEST_REQUEST = 32 * 1024 * 1024
"""Bytes of a request. https://cloud.google.com/api-gateway/docs/quotas"""
SKEW_SECONDS = 60
"""The accepted difference of clocks: https://cloud.google.com/api-gateway/docs/authenticating-users-jwt"""
LONGEST_SECONDS = 600
"""The longest deadline of a backend: https://cloud.google.com/api-gateway/docs/quotas"""
CLAIMS = ("iss", "sub", "aud", "exp", "iat")
REPLACED = frozenset({"authorization", "host", "x-forwarded-for", "x-apigateway-api-userinfo"})


@dataclass(frozen=True, kw_only=True)
class Config:
    """The configuration of a gateway."""

    document: Mapping[str, Any]
    account: str
    """The email address of the service account by which it calls functions."""


class Requests:
    """How many requests are under way."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._number = 0

    def __enter__(self) -> None:
        with self._change:
            self._number += 1

    def __exit__(self, *_: object) -> None:
        with self._change:
            self._number -= 1
            self._change.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait until there are none, for some seconds at most."""
        with self._change:
            self._change.wait_for(lambda: not self._number, seconds)


@dataclass(frozen=True, kw_only=True)
class Served:
    """What a gateway serves at one time. A request is answered by what was served when it came."""

    paths: tuple[Path, ...]
    account: str
    upstreams: Mapping[str, Upstream]
    """By the address of a function."""
    requests: Requests = field(default_factory=Requests)

    def close(self) -> None:
        """Close every connection that no request uses. Safe to call twice."""
        for upstream in self.upstreams.values():
            upstream.close()


class Refused(Exception):
    """A request that is not forwarded: the status and the message of the response."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Gateway:
    """One gateway on a loopback port: `port` or the next free one.

    `token(account, audience)` returns the token by which it calls a function. `answered` is told of every request
    and its response.
    """

    def __init__(
        self,
        config: Config,
        *,
        token: Callable[[str, str | None], str],
        signer: Signer,
        port: int,
        answered: Callable[[Request, Response], None] = lambda *_: None,
    ) -> None:
        self._answered = answered
        self._token = token
        self._signer = signer
        self._entering = threading.Lock()
        """Held while a request finds out what is served, and while that is changed."""
        self._served = _served(config)
        self._server = HttpServer(
            self._answer, port=port, limit=LARGEST_REQUEST, refusal=lambda status: _error(status, REASONS[status])
        )

    @property
    def host(self) -> str:
        """`127.0.0.1:<port>`."""
        return self._server.url.removeprefix("http://")

    def change(self, config: Config) -> None:
        """Serve another configuration from now on, and return when what came under the one before is answered.

        Whoever changes a gateway may then delete a function that it led to. Raises `ValueError` for a document
        that it cannot serve.
        """
        served = _served(config)
        with self._entering:
            before, self._served = self._served, served
        before.requests.wait(LONGEST_SECONDS)
        before.close()

    def close(self) -> None:
        """Stop listening and close every connection. Safe to call twice."""
        self._server.close()
        self._served.close()

    def _answer(self, request: Request) -> Response:
        response = self._response(request)
        self._answered(request, response)
        return response

    def _response(self, request: Request) -> Response:
        with ExitStack() as until_answered:
            with self._entering:
                served = self._served
                until_answered.enter_context(served.requests)
            try:
                operation = _operation(request, served.paths)
                claims = self._claims(request, operation.issuer) if operation.issuer else None
                return self._forward(request, operation, claims, served)
            except Refused as refused:
                return _error(refused.status, str(refused))

    def _claims(self, request: Request, issuer: Issuer) -> Mapping[str, Any]:
        """Return the claims of the request's token. Raises `Refused` with 401 or 403 for an invalid one."""
        token = bearer(request.header("authorization"))
        if token is None:
            raise Refused(401, "Jwt is missing")
        try:
            key = self._signer.public(issuer.issuer, issuer.keys, token)
            return jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                issuer=issuer.issuer,
                audience=issuer.audiences or f"https://{self.host}",
                leeway=SKEW_SECONDS,
                options={"require": list(CLAIMS)},
            )
        except jwt.ExpiredSignatureError:
            raise Refused(401, "Jwt is expired") from None
        except jwt.InvalidAudienceError:
            raise Refused(403, "Audiences in Jwt are not allowed") from None
        except jwt.InvalidIssuerError:
            raise Refused(401, "Jwt issuer is not configured") from None
        except jwt.PyJWTError:
            raise Refused(401, "Jwt verification fails") from None

    def _forward(
        self, request: Request, operation: Operation, claims: Mapping[str, Any] | None, served: Served
    ) -> Response:
        addresses = [request.header("x-forwarded-for") or "", LOOPBACK]
        headers = {key: value for key, value in request.headers.items() if key.lower() not in REPLACED} | {
            "Host": urlsplit(operation.address).netloc,
            "Authorization": f"Bearer {self._token(served.account, operation.audience)}",
            "X-Forwarded-For": ",".join(filter(None, addresses)),
        }
        if authorization := request.header("authorization"):
            headers["X-Forwarded-Authorization"] = authorization
        if claims is not None:
            headers["X-Apigateway-Api-Userinfo"] = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()
        try:
            return served.upstreams[operation.address].send(request.method, request.path, request.body, headers)
        except TimeoutError:
            raise Refused(504, "upstream request timeout") from None
        except (OSError, http.client.HTTPException):
            raise Refused(503, "upstream connect error or disconnect/reset before headers") from None


def _served(config: Config) -> Served:
    found = paths(config.document)
    operations = [operation for path in found for operation in path.operations.values()]
    upstreams = {operation.address: Upstream(operation.address, seconds=operation.deadline) for operation in operations}
    return Served(paths=found, account=config.account, upstreams=upstreams)


def _operation(request: Request, served: tuple[Path, ...]) -> Operation:
    """Return the operation of a request. Raises `Refused` with 404 or 405 when there is none."""
    requested = request.path.partition("?")[0]
    path = next((path for path in served if path.shape.fullmatch(requested)), None)
    if path is None:
        raise Refused(404, "The current request is not defined by this API.")
    if request.method not in path.operations:
        raise Refused(
            405,
            f'The current request is matched to the defined url template "{path.template}"'
            " but its http method is not allowed",
        )
    return path.operations[request.method]


REASONS = {
    400: "Bad Request",
    413: "Payload Too Large",
    414: "URI Too Long",
    431: "Request Header Fields Too Large",
}


def _error(status: int, message: str) -> Response:
    return json_response(status, {"code": status, "message": message})
