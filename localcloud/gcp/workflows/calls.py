"""The `http.*` calls of a workflow. https://cloud.google.com/workflows/docs/reference/stdlib/http/request"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from localcloud.gcp.workflows.errors import Undocumented, error
from localcloud.gcp.workflows.operators import is_number
from localcloud.support.ports import LOOPBACK

DEFAULT_SECONDS = 300
LONGEST_SECONDS = 1800
LARGEST = 2 * 1024 * 1024
"""The largest response, in bytes. https://cloud.google.com/workflows/quotas#resource_limit"""
AUTH = {"OIDC": {"type", "audience"}, "OAuth2": {"type", "scope", "scopes"}}


@dataclass(frozen=True, kw_only=True)
class Response:
    """A response to a workflow's request."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotConnected(OSError):
    """No connection was made, so nothing was delivered."""


Transport = Callable[[str, str, Mapping[str, str], bytes | None, float], Response]
"""Takes a method, URL, headers, body and seconds, and returns the response.

Raises `NotConnected`, `TimeoutError`, another `OSError`, or `HTTPException`.
"""


class Calls:
    """Sends the requests of one workflow, with a token of its service account where the document says `auth`."""

    def __init__(self, token: Callable[[str | None], str], transport: Transport) -> None:
        self._token = token
        self._transport = transport

    def __call__(self, verb: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request and return the response's `body`, `code` and `headers`. Raises `Raised`."""
        method = str(arguments["method"] if verb == "request" else verb).upper()
        url, seconds = _url(arguments), arguments.get("timeout", DEFAULT_SECONDS)
        if not is_number(seconds) or not 0 < seconds <= LONGEST_SECONDS:
            raise error("ValueError", f"timeout is {seconds}; accepted: up to {LONGEST_SECONDS} seconds")
        headers = {str(key): str(value) for key, value in (arguments.get("headers") or {}).items()}
        body = _body(arguments.get("body"), headers)
        if auth := arguments.get("auth"):
            headers["Authorization"] = f"Bearer {self._identity(auth, url)}"
        return _result(self._send(method, url, headers, body, seconds))

    def _identity(self, auth: Any, url: str) -> str:
        kind = auth.get("type") if isinstance(auth, dict) else None
        if kind not in AUTH or set(auth) - AUTH[kind]:
            raise error("AuthError", f"auth: accepted: {', '.join(AUTH)}")
        try:
            return self._token(auth.get("audience", url) if kind == "OIDC" else None)
        except LookupError as problem:
            raise error("AuthError", str(problem)) from None

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float) -> Response:
        try:
            return self._transport(method, url, headers, body, seconds)
        except NotConnected as problem:
            raise error("ConnectionFailedError", f"no connection to {url}: {problem}") from None
        except TimeoutError:
            raise error("TimeoutError", f"{url} did not answer within {seconds} seconds") from None
        except (OSError, http.client.HTTPException) as problem:
            raise error("ConnectionError", f"the connection to {url} ended: {problem}") from None


def over_http(method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float) -> Response:
    """Send a request to this machine by plain HTTP; `seconds` bound the whole exchange.

    Raises `NotConnected` for any other URL and without a connection, and `TimeoutError`.
    """
    target = urlsplit(url)
    if target.scheme != "http" or target.hostname != LOOPBACK:
        raise NotConnected(f"it is not on this machine; an embedded workflow calls http://{LOOPBACK} alone")
    deadline = time.monotonic() + seconds
    connection = http.client.HTTPConnection(LOOPBACK, target.port, timeout=seconds)
    try:
        try:
            connection.connect()
        except OSError as problem:
            raise NotConnected(problem) from None
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        connection.request(method, path, body=body, headers=dict(headers))
        _set_timeout(connection, deadline)
        response = connection.getresponse()
        content = bytearray()
        while len(content) <= LARGEST and (part := response.read1(65_536)):
            content += part
            _set_timeout(connection, deadline)
        return Response(status=response.status, headers=dict(response.getheaders()), body=bytes(content))
    finally:
        connection.close()


def _set_timeout(connection: http.client.HTTPConnection, deadline: float) -> None:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    if connection.sock:
        connection.sock.settimeout(remaining)


def _url(arguments: Mapping[str, Any]) -> str:
    url, query = arguments["url"], arguments.get("query")
    if not isinstance(url, str):
        raise error("TypeError", "url is a text")
    if not query:
        return url
    if not isinstance(query, dict):
        raise error("TypeError", "query is a map")
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(query, doseq=True)}"


def _body(body: Any, headers: dict[str, str]) -> bytes | None:
    """Return the request's body: maps and lists as JSON, a text as it is, for which `headers` need a content type."""
    if body is None:
        return None
    content_type = next((value for key, value in headers.items() if key.lower() == "content-type"), "")
    if isinstance(body, (dict, list)):
        if content_type and "json" not in content_type:
            raise Undocumented(f"a map as {content_type} is not written here; accepted: application/json")
        if not content_type:
            headers["Content-Type"] = "application/json; charset=utf-8"
        return json.dumps(body, ensure_ascii=False).encode()
    if content_type and isinstance(body, (str, bytes)):
        return body.encode() if isinstance(body, str) else body
    raise Undocumented("a body that is not a map needs a Content-Type among the headers")


def _result(response: Response) -> dict[str, Any]:
    if len(response.body) > LARGEST:
        raise error("ResourceLimitError", f"the response has more than {LARGEST} bytes")
    result = {"code": response.status, "headers": dict(response.headers), "body": _content(response)}
    if response.status >= 400:
        message = f"HTTP server responded with error code {response.status}"
        raise error("HttpError", message, **result)
    if response.status >= 300:
        raise Undocumented(f"a redirection, {response.status}")
    return result


def _content(response: Response) -> Any:
    """Return the response's body: JSON parsed, anything else as text, or as bytes if it is not UTF-8."""
    kind = next((value for key, value in response.headers.items() if key.lower() == "content-type"), "").lower()
    try:
        if "json" in kind and response.body:
            return json.loads(response.body)
        return response.body.decode()
    except json.JSONDecodeError:
        raise Undocumented("a response that is called JSON and is not") from None
    except UnicodeDecodeError:
        return response.body
