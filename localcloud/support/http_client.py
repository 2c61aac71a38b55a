"""Kept connections to one HTTP server."""

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

from localcloud.support.http_server import Answer
from localcloud.support.ports import LOOPBACK

IDLE_SECONDS = 20
"""A kept connection older than this may be closed at the other end just as it is used."""


class Upstream:
    """A server by its URL, asked over connections that are kept: a TLS handshake costs more than a small call."""

    def __init__(self, url: str, certificate: Path | None = None, *, seconds: float | None = None) -> None:
        self._target = urlsplit(url)
        self._seconds = seconds
        self._context = ssl.create_default_context(cafile=str(certificate)) if certificate else None
        self._idle: queue.LifoQueue[tuple[float, http.client.HTTPConnection]] = queue.LifoQueue()

    def send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Raises `OSError` or `http.client.HTTPException` when the server cannot be reached.

        It is a `TimeoutError` when the server says nothing for as many seconds as it was given.
        """
        connection = self._take()
        try:
            connection.request(method, path, body=body or None, headers=dict(headers))
            response = connection.getresponse()
            answer = Answer(response.status, response.getheaders(), response.read())
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            self._idle.put((time.monotonic(), connection))
        return answer

    def close(self) -> None:
        """Drop every connection. Safe to call twice."""
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
    """Whether nothing waits to be read: on an idle connection that could only be its end."""
    if connection.sock is None:
        return False
    look = select.poll()
    look.register(connection.sock, select.POLLIN)
    return not look.poll(0)
