"""An HTTP client that keeps its connections to one server."""

from __future__ import annotations

import http.client
import queue
import select
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from localcloud.support.http_server import Response
from localcloud.support.ports import LOOPBACK

IDLE_SECONDS = 20
"""A connection that was idle for longer is not reused: the server may close it at the same moment."""


class Upstream:
    """Sends requests to the server at `url` over kept connections: a TLS handshake costs more than a small call.

    `certificate` is what the client trusts. A response may take `seconds`; None sets no limit.
    """

    def __init__(self, url: str, certificate: Path | None = None, *, seconds: float | None = None) -> None:
        self._target = urlsplit(url)
        self._seconds = seconds
        self._context = ssl.create_default_context(cafile=str(certificate)) if certificate else None
        self._idle: queue.LifoQueue[tuple[float, http.client.HTTPConnection]] = queue.LifoQueue()

    def send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Response:
        """Send a request and return the response.

        Raises `TimeoutError` when the server sends nothing for `seconds`, and another `OSError` or
        `http.client.HTTPException` when it cannot be reached.
        """
        connection = self._take()
        try:
            connection.request(method, path, body=body or None, headers=dict(headers))
            response = connection.getresponse()
            received = Response(response.status, response.getheaders(), response.read())
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            self._idle.put((time.monotonic(), connection))
        return received

    def close(self) -> None:
        """Close every connection. Safe to call twice."""
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait()[1].close()

    def _take(self) -> http.client.HTTPConnection:
        with suppress(queue.Empty):
            while True:
                since, connection = self._idle.get_nowait()
                if time.monotonic() - since < IDLE_SECONDS and _quiet(connection):
                    return connection
                connection.close()
        host, port = self._target.hostname or LOOPBACK, self._target.port
        if self._context is None:
            return http.client.HTTPConnection(host, port, timeout=self._seconds)
        return http.client.HTTPSConnection(host, port, timeout=self._seconds, context=self._context)


def _quiet(connection: http.client.HTTPConnection) -> bool:
    """Return whether an idle connection is still open: anything to read on it could only be its end."""
    if connection.sock is None:
        return False
    poller = select.poll()
    poller.register(connection.sock, select.POLLIN)
    return not poller.poll(0)
