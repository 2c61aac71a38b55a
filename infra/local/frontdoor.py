"""One plain URL for an API inside the emulator: what curl, a browser and a load test can call."""

from __future__ import annotations

import http.client
import json
import queue
import socketserver
import ssl
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import urlsplit

from infra.local.ports import LOOPBACK, listener

LIMIT = 10 * 1024 * 1024
"""Bytes of a request. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html"""
HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-connection"})
OWN = frozenset({"server", "content-length"})
"""Set anew here."""
DRAIN = 8 * LIMIT
DRAIN_SECONDS = 1
IDLE_SECONDS = 20
"""A kept connection older than this may be closed at the other end just as it is used."""
Answer = tuple[int, list[tuple[str, str]], bytes]


class FrontDoor:
    """Listens on `http://127.0.0.1:<port>`, or the next free port, and forwards to `upstream` below `prefix`."""

    def __init__(self, *, upstream: str, prefix: str, certificate: Path | None, port: int) -> None:
        self._pool = _Pool(upstream, certificate)
        self._server = _Server(port, self._pool, prefix)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="front door", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop listening and drop every connection. Safe to call twice."""
        self._server.shutdown()
        self._server.server_close()
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class _Pool:
    """Kept connections to the emulator: a TLS handshake costs more than a small call."""

    def __init__(self, upstream: str, certificate: Path | None) -> None:
        self._target = urlsplit(upstream)
        self._context = ssl.create_default_context(cafile=str(certificate)) if certificate else None
        self._idle: queue.LifoQueue[tuple[float, http.client.HTTPConnection]] = queue.LifoQueue()

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Raises `OSError` or `http.client.HTTPException` when the emulator cannot be reached."""
        connection = self._take()
        try:
            connection.request(method, path, body=body or None, headers=headers)
            response = connection.getresponse()
            answer = response.status, response.getheaders(), response.read()
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            self._idle.put((time.monotonic(), connection))
        return answer

    def close(self) -> None:
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait()[1].close()

    def _take(self) -> http.client.HTTPConnection:
        with suppress(queue.Empty):
            while True:
                since, connection = self._idle.get_nowait()
                if time.monotonic() - since < IDLE_SECONDS:
                    return connection
                connection.close()
        host, port = self._target.hostname or LOOPBACK, self._target.port
        if self._context is None:
            return http.client.HTTPConnection(host, port)
        return http.client.HTTPSConnection(host, port, context=self._context)


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, pool: _Pool, prefix: str) -> None:
        self.pool = pool
        self.prefix = prefix
        listening = listener(port)
        super().__init__(listening.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.server_address = listening.getsockname()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 75

    @property
    def _door(self) -> _Server:
        return cast("_Server", self.server)

    def handle_one_request(self) -> None:
        """As the base class, but every method is forwarded."""
        try:
            self.raw_requestline = self.rfile.readline(65_537)
            if not self.raw_requestline:
                self.close_connection = True
            elif self.parse_request():
                self._forward()
                self.wfile.flush()
        except (OSError, ValueError):
            self.close_connection = True

    def _forward(self) -> None:
        try:
            body = self._body()
        except ValueError:
            self._refuse(400, b'{"message":"Bad Request"}')
            return
        if body is None:
            self._refuse(413, b'{"message":"Request Entity Too Large"}')
            return
        headers = {key: value for key, value in self.headers.items() if key.lower() not in HOP}
        headers.pop("Content-Length", None)
        try:
            answer = self._door.pool.send(self.command, self._door.prefix + self.path, body, headers)
        except (OSError, http.client.HTTPException):
            answer = 503, [], b'{"message":"Service Unavailable"}'
        self._reply(*translated(answer))

    def _refuse(self, status: int, body: bytes) -> None:
        """Answer, then read on for a while: a client that is still sending would never see the answer otherwise."""
        self.close_connection = True
        self._reply(status, [], body)
        self.wfile.flush()
        self.connection.settimeout(DRAIN_SECONDS)
        left = DRAIN
        while left > 0 and (read := len(self.rfile.read1(65_536))):
            left -= read

    def _body(self) -> bytes | None:
        """The request's body, or None when it is larger than the cloud accepts."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        length = int(self.headers.get("Content-Length") or 0)
        if length < 0:
            raise ValueError(length)
        if length > LIMIT:
            return None
        return self.rfile.read(length)

    def _chunks(self) -> bytes | None:
        whole = bytearray()
        while size := int(self.rfile.readline(64).split(b";")[0], 16):
            if len(whole) + size > LIMIT:
                return None
            whole += self.rfile.read(size)
            self.rfile.readline(8)
        while self.rfile.readline(65_537).strip():
            pass
        return bytes(whole)

    def _reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        given = {key.lower() for key, _ in headers}
        for key, value in headers:
            if key.lower() not in HOP | OWN:
                self.send_header(key, value)
        if "content-type" not in given and body:
            self.send_header("Content-Type", "application/json")
        if self.close_connection:
            self.send_header("Connection", "close")
        if status >= 200 and status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def translated(answer: Answer) -> Answer:
    """What the cloud's gateway would have said.

    The emulator answers a function's failure with 502 and the failure's own text, and an
    answer of the wrong shape with an empty 500; the cloud says the same opaque thing to both.
    """
    status, headers, body = answer
    failed = status == 502 and "errorMessage" in _object(body)
    if failed or (status == 500 and not body):
        return 500, _only(headers, "apigw-requestid"), b'{"message":"Internal Server Error"}'
    return answer


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _only(headers: list[tuple[str, str]], name: str) -> list[tuple[str, str]]:
    return [(key, value) for key, value in headers if key.lower() == name]
