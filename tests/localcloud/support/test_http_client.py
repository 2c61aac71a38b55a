"""Kept connections, to a server that may drop them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from localcloud.support.http_client import Upstream
from localcloud.support.http_server import Answer, Door, Request


class Server:
    """Says by which thread, which stands for a connection, it was reached."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self, request: Request) -> Answer:
        time.sleep(self.seconds)
        return Answer(200, [], str(threading.get_ident()).encode())


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def door(server: Server) -> Iterator[Door]:
    with Door(server, limit=0) as door:
        yield door


def test_calls_share_a_connection(door: Door) -> None:
    upstream = Upstream(door.url)
    assert len({upstream.send("GET", "/", b"", {}).body for _ in range(5)}) == 1
    upstream.close()


def test_a_connection_that_the_server_has_dropped_is_not_used_again(server: Server, door: Door) -> None:
    upstream = Upstream(door.url)
    upstream.send("GET", "/", b"", {})
    port = door.port
    door.close()
    with Door(server, port=port, limit=0) as other:
        assert other.port == port
        assert upstream.send("GET", "/", b"", {}).status == 200
    upstream.close()


def test_a_server_that_says_nothing_is_given_up_in_time(server: Server, door: Door) -> None:
    server.seconds = 1
    upstream = Upstream(door.url, seconds=0.1)
    with pytest.raises(TimeoutError):
        upstream.send("GET", "/", b"", {})
    upstream.close()


def test_a_server_that_is_gone_is_an_error(door: Door) -> None:
    door.close()
    with pytest.raises(OSError):  # noqa: PT011 - refused or reset, as the system likes
        Upstream(door.url).send("GET", "/", b"", {})
