"""The stack's own API, as its clients call it."""

from __future__ import annotations

import getpass
import http.client
import json
import os
import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from sml.mistake import Mistake, Unreachable
from sml.stopped import halted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sml.stack import Stack

TOKEN = "SML_TOKEN"  # noqa: S105 - the name of a variable
"""The variable with the token that an API with `auth: jwt` asks for."""
CALLER = "SML_CALLER"
"""The variable with the caller's name, for an API that checks no callers: canaries and jobs go by it."""
PATIENCE_SECONDS = 60
REFUSED_BY_THE_CLOUD = (429, 503)
"""How a cloud refuses what is asked of a stack that is stopped, in words that do not say so."""


class Api:
    """Sends requests as the caller that the environment names."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def get(self, url: str) -> Any:
        """Return the JSON that is at a URL. Raise as `send` does."""
        return json.loads(self.send("GET", url)[2] or b"null")

    def post(self, url: str, document: object, headers: Mapping[str, str] | None = None) -> Any:
        """Return the JSON that a URL answers a document with. Raise as `send` does."""
        return json.loads(self.send("POST", url, json.dumps(document).encode(), headers)[2] or b"null")

    def send(
        self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None, *, signed: bool = True
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Return status, headers by lower-case name, and body of the answer.

        `signed` is False for a URL that says by itself who may use it. Raise `Mistake` with the API's own words
        where it refuses, and `Unreachable` where it does not answer, or does not know the caller.
        """
        own = {"content-type": "application/json", "x-caller-id": caller(), **self._caller(method, url, body)}
        whole = {**(own if signed else {}), **(headers or {})}
        for name, value in whole.items():
            if not (value.isascii() and value.isprintable()):
                where = {"authorization": TOKEN, "x-caller-id": CALLER}.get(name, name)
                raise Mistake(f"{where} holds what no header can: line ends, or letters that are not ASCII")
        address = urlsplit(url)
        path = f"{address.path}?{address.query}" if address.query else address.path
        connection = connection_to(address.scheme, address.netloc)
        try:
            connection.request(method, path, body or None, whole)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as problem:
            why = str(problem) or type(problem).__name__
            raise Unreachable(f"{address.scheme}://{address.netloc} does not answer: {why}") from None
        finally:
            connection.close()
        if response.status == 401 and signed:
            raise Unreachable(self._unknown(response.status, content))
        if response.status >= 400:
            why = halted(self._stack) if response.status in REFUSED_BY_THE_CLOUD else ""
            refusal = _said(response.status, content)
            said = f"{refusal.rstrip('.')}; {why}" if why else refusal
            raise Mistake(said, kind=str(_problem(content).get("type") or ""))
        return response.status, {name.lower(): value for name, value in response.getheaders()}, content

    def _caller(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        if token := os.environ.get(TOKEN):
            return {"authorization": f"Bearer {token}"}
        callers = str(self._stack.outputs["callers"])
        return self._stack.cloud.signed(method, url, body, callers) if callers else {}

    def _unknown(self, status: int, content: bytes) -> str:
        how = "" if self._stack.outputs["callers"] else f"; a token for it goes into the variable {TOKEN}"
        return f"the API does not accept the caller: {_said(status, content)}{how}"


def caller() -> str:
    """Return the name by which an API that checks no callers tells them apart: of the variable, or of the user here."""
    named = os.environ.get(CALLER) or f"{_user()}@{socket.gethostname()}"
    # It travels in a header.
    return named if named.isascii() else quote(named)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # In a container a user may have no name.
        return str(os.getuid())


def connection_to(scheme: str, netloc: str) -> http.client.HTTPConnection:
    if scheme == "https":
        trusted = os.environ.get("SSL_CERT_FILE")
        context = ssl.create_default_context()
        if trusted:
            context.load_verify_locations(trusted)
        return http.client.HTTPSConnection(netloc, timeout=PATIENCE_SECONDS, context=context)
    return http.client.HTTPConnection(netloc, timeout=PATIENCE_SECONDS)


def _said(status: int, content: bytes) -> str:
    """Return the status of a refusal, and what the API says of it."""
    return f"{status}: {words_of(_problem(content)) or content[:200].decode(errors='replace') or 'no reason'}"


def _problem(content: bytes) -> dict[str, Any]:
    try:
        problem = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return problem if isinstance(problem, dict) else {}


def words_of(problem: Mapping[str, Any]) -> str:
    """Return what a problem of the API says: its sentence, and the first faults, each with its place."""
    text = problem.get("detail") or problem.get("error") or problem.get("message") or problem.get("title")
    faults = [
        " ".join(str(fault.get(part)) for part in ("field", "detail", "message") if fault.get(part))
        for fault in problem.get("errors", ())
        if isinstance(fault, dict)
    ]
    return "; ".join([str(text or ""), *faults[:5]])
