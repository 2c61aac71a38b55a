"""A plain HTTP server on the loopback address, which calls a function for each request.

```python
with HttpServer(lambda request: json_response(200, {"path": request.path}), limit=1_000_000) as server:
    urllib.request.urlopen(f"{server.url}/hello")
```
"""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, NamedTuple, Self, cast

from localcloud.support.ports import LOOPBACK, listener

HOP = frozenset(
    {"connection", "expect", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-connection"}
)
"""Headers that belong to one connection, and are never forwarded."""
OWN = frozenset({"server", "content-length"})
"""Headers that the server sets itself."""
REASONS = {
    400: "Bad Request",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    431: "Request Header Fields Too Large",
}
"""The statuses of what the server refuses itself."""
DRAIN_BYTES = 80 * 1024 * 1024
DRAIN_SECONDS = 1


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it was received."""

    method: str
    path: str
    """The path and the query, as they were sent."""
    headers: Mapping[str, str]
    """Values by name, spelt as sent, without those of the connection."""
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the value of a header by its lower-case name; None when it was not sent."""
        return next((value for key, value in self.headers.items() if key.lower() == name), None)


class Response(NamedTuple):
    """A response to be sent, or as it was received."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def json_response(status: int, document: object, *headers: tuple[str, str]) -> Response:
    """Return a response whose body is the document in JSON."""
    return Response(status, [("Content-Type", "application/json"), *headers], json.dumps(document).encode())


def _refusal(status: int) -> Response:
    return json_response(status, {"message": REASONS[status]})


class HttpServer:
    """Listens on `http://127.0.0.1:<port>`, or on the next free port, and calls `answer` for each request.

    Connections are kept, each with a thread of its own. A body over `limit` bytes is answered
    with 413, headers that are too long with 431, a line that is no request with 400, by `refusal(status)`; `answer`
    is not called for them. What `answer` raises ends the connection.
    """

    def __init__(
        self,
        answer: Callable[[Request], Response],
        *,
        port: int = 0,
        limit: int,
        refusal: Callable[[int], Response] = _refusal,
    ) -> None:
        self._server = _Server(port, answer, limit, refusal)
        self._thread = threading.Thread(target=self._server.serve, name="http server", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def close(self) -> None:
        """Stop listening and close every connection. Safe to call twice."""
        self._server.stop()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(
        self, port: int, answer: Callable[[Request], Response], limit: int, refusal: Callable[[int], Response]
    ) -> None:
        self.answer, self.limit, self.refusal = answer, limit, refusal
        self._over = False
        self._open: set[socket.socket] = set()
        listening = listener(port)
        super().__init__(listening.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.server_address = listening.getsockname()

    def serve(self) -> None:
        """Serve until `stop`, like `serve_forever`, but without its polling: a stack has many servers."""
        while not self._over:
            self.handle_request()
        self.server_close()

    def stop(self) -> None:
        """Wake up `serve`, and close every connection."""
        self._over = True
        with suppress(OSError), socket.create_connection((LOOPBACK, self.server_address[1]), timeout=1):
            pass
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 75

    @property
    def _server(self) -> _Server:
        return cast("_Server", self.server)

    def handle_one_request(self) -> None:
        """Handle a request like the base class, but of any method."""
        try:
            self.raw_requestline = self.rfile.readline(65_537)
            if not self.raw_requestline:
                self.close_connection = True
            elif len(self.raw_requestline) > 65_536:
                self.send_error(414)
            elif self.parse_request():
                self._handle()
                self.wfile.flush()
        except (OSError, ValueError):
            self.close_connection = True

    def handle_expect_100(self) -> bool:
        """Have a client that waits for it send its body at once: what is written stays in a buffer otherwise."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse a request that the base class does not understand, as any other: not with a page in HTML."""
        self.command, self.requestline, self.request_version = "", "", self.protocol_version
        self._refuse(code if code in REASONS else 400)

    def finish(self) -> None:
        """Finish like the base class, but ignore a client that has gone."""
        with suppress(OSError):
            super().finish()

    def _handle(self) -> None:
        try:
            body = self._body()
        except ValueError:
            self._refuse(400)
            return
        if body is None:
            self._refuse(413)
            return
        headers = {key: value for key, value in self.headers.items() if key.lower() not in HOP}
        headers.pop("Content-Length", None)
        self._reply(self._server.answer(Request(method=self.command, path=self.path, headers=headers, body=body)))

    def _refuse(self, status: int) -> None:
        """Respond, then read on for a while: a client that is still sending would not see the response otherwise."""
        self.close_connection = True
        self._reply(self._server.refusal(status))
        self.wfile.flush()
        self.connection.settimeout(DRAIN_SECONDS)
        left = DRAIN_BYTES
        while left > 0 and (read := len(self.rfile.read1(65_536))):
            left -= read

    def _body(self) -> bytes | None:
        """Return the request's body, or None when it is over the limit. Raises `ValueError` for an invalid length."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        length = int(self.headers.get("Content-Length") or 0)
        if length < 0:
            raise ValueError(length)
        if length > self._server.limit:
            return None
        return self.rfile.read(length)

    def _chunks(self) -> bytes | None:
        body = bytearray()
        while size := int(self.rfile.readline(64).split(b";")[0], 16):
            if len(body) + size > self._server.limit:
                return None
            body += self.rfile.read(size)
            self.rfile.readline(8)
        while self.rfile.readline(65_537).strip():
            pass
        return bytes(body)

    def _reply(self, response: Response) -> None:
        status, headers, body = response
        self.send_response_only(status)
        names = {key.lower() for key, _ in headers}
        for key, value in headers:
            if key.lower() not in HOP | OWN:
                self.send_header(key, value)
        if "content-type" not in names and body:
            self.send_header("Content-Type", "application/json")
        if self.close_connection:
            self.send_header("Connection", "close")
        if status >= 200 and status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
