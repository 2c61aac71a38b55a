"""Kept connections, to a server that may drop them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from localcloud.support.http_client import Upstream
from localcloud.support.http_server import HttpServer, Request, Response


class Backend:
    """Says by which thread, which stands for a connection, it was reached."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self, request: Request) -> Response:
        time.sleep(self.seconds)
        return Response(200, [], str(threading.get_ident()).encode())


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
def server(backend: Backend) -> Iterator[HttpServer]:
    with HttpServer(backend, limit=0) as server:
        yield server


def test_calls_share_a_connection(server: HttpServer) -> None:
    upstream = Upstream(server.url)
    assert len({upstream.send("GET", "/", b"", {}).body for _ in range(5)}) == 1
    upstream.close()


def test_a_connection_that_the_server_has_dropped_is_not_used_again(backend: Backend, server: HttpServer) -> None:
    upstream = Upstream(server.url)
    upstream.send("GET", "/", b"", {})
    port = server.port
    server.close()
    with HttpServer(backend, port=port, limit=0) as other:
        assert other.port == port
        assert upstream.send("GET", "/", b"", {}).status == 200
    upstream.close()


def test_a_server_that_does_not_answer_times_out(backend: Backend, server: HttpServer) -> None:
    backend.seconds = 1
    upstream = Upstream(server.url, seconds=0.1)
    with pytest.raises(TimeoutError):
        upstream.send("GET", "/", b"", {})
    upstream.close()


def test_a_server_that_is_gone_is_an_error(server: HttpServer) -> None:
    server.close()
    with pytest.raises(OSError):  # noqa: PT011 - refused or reset, as the system likes
        Upstream(server.url).send("GET", "/", b"", {})
