"""The HTTP server, in front of a handler that echoes the request."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from localcloud.support.http_server import HttpServer, Request, Response

LIMIT = 10 * 1024 * 1024


class Echo:
    """Echoes the request, or gives a prepared response."""

    def __init__(self) -> None:
        self.says: Response | None = None
        self.both = threading.Barrier(2)
        self.threads: set[int] = set()

    def __call__(self, request: Request) -> Response:
        self.threads.add(threading.get_ident())
        if request.path == "/together":
            self.both.wait(timeout=10)
        echoed = {
            "method": request.method,
            "path": request.path,
            "body": request.body.decode("latin-1"),
            "headers": dict(request.headers),
        }
        return self.says or Response(200, [("X-Kind", "echo")], json.dumps(echoed).encode())


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def server(echo: Echo) -> Iterator[HttpServer]:
    with HttpServer(echo, limit=LIMIT) as server:
        yield server


@pytest.fixture
def client(server: HttpServer) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=20)
    yield connection
    connection.close()


def ask(client: http.client.HTTPConnection, method: str, path: str, **rest: object) -> tuple[int, dict, bytes]:
    client.request(method, path, **rest)  # ty: ignore[invalid-argument-type]
    response = client.getresponse()
    return response.status, {key.lower(): value for key, value in response.getheaders()}, response.read()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_method_path_query_body_and_headers_are_forwarded(client: http.client.HTTPConnection, method: str) -> None:
    status, headers, body = ask(client, method, "/v2/a%20b?x=1&x=2", body=b"\xff{}", headers={"X-Key": "k"})
    echoed = json.loads(body)
    assert (status, headers["x-kind"]) == (200, "echo")
    assert (echoed["method"], echoed["path"]) == (method, "/v2/a%20b?x=1&x=2")
    assert echoed["body"] == "\xff{}"
    assert echoed["headers"]["X-Key"] == "k"
    assert echoed["headers"]["Host"] == f"{client.host}:{client.port}"


def test_the_bytes_of_an_answer_are_returned_unchanged(echo: Echo, client: http.client.HTTPConnection) -> None:
    echo.says = Response(200, [("Content-Type", "application/octet-stream")], bytes(range(256)))
    _, headers, body = ask(client, "POST", "/", body=bytes(range(256)))
    assert (headers["content-type"], body) == ("application/octet-stream", bytes(range(256)))


def test_a_header_is_found_however_it_was_spelt() -> None:
    request = Request(method="GET", path="/", headers={"X-Key": "k"}, body=b"")
    assert (request.header("x-key"), request.header("x-other")) == ("k", None)


def test_a_head_request_gets_headers_and_no_body(client: http.client.HTTPConnection) -> None:
    status, headers, body = ask(client, "HEAD", "/")
    assert (status, headers["x-kind"], body) == (200, "echo", b"")
    assert int(headers["content-length"]) > 0


def test_a_chunked_body_is_read_whole(client: http.client.HTTPConnection) -> None:
    _, _, body = ask(client, "POST", "/", body=iter([b"one ", b"two"]), encode_chunked=True)
    assert json.loads(body)["body"] == "one two"


def test_one_connection_serves_many_requests(client: http.client.HTTPConnection, echo: Echo) -> None:
    for number in range(50):
        assert json.loads(ask(client, "GET", f"/{number}")[2])["path"] == f"/{number}"
    assert len(echo.threads) == 1


def test_requests_are_answered_side_by_side(server: HttpServer) -> None:
    def call(_: int) -> int:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=20)
        try:
            return ask(connection, "GET", "/together")[0]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(call, range(2))) == [200, 200]


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1])
def test_as_much_as_the_limit_is_accepted_and_a_byte_more_is_not(client: http.client.HTTPConnection, size: int) -> None:
    client.putrequest("POST", "/")
    client.putheader("Content-Length", str(size))
    client.endheaders()
    if size <= LIMIT:
        client.send(b"x" * size)
    response = client.getresponse()
    body = response.read()
    if size <= LIMIT:
        assert (response.status, len(json.loads(body)["body"])) == (200, LIMIT)
    else:
        assert (response.status, json.loads(body)) == (413, {"message": "Request Entity Too Large"})


def spoken(server: HttpServer, *parts: bytes) -> Iterator[bytes]:
    """Send each part once the one before has been answered, and yield what comes back."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
            answer = connection.recv(65_536)
            while b"Content-Length" in answer and not answer.endswith(b"}") and (more := connection.recv(65_536)):
                answer += more
            yield answer


def test_a_client_that_waits_to_be_asked_for_its_body_is_asked_at_once(server: HttpServer) -> None:
    head = b"POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
    asked, answered = spoken(server, head, b"body")
    assert asked == b"HTTP/1.1 100 Continue\r\n\r\n"
    echoed = json.loads(answered.partition(b"\r\n\r\n")[2])
    assert (echoed["path"], echoed["body"]) == ("/later", "body")
    assert "Expect" not in echoed["headers"]


@pytest.mark.parametrize(
    ("request_line", "headers", "status"),
    [
        ("GET / HTTP/1.1", {"X-Long": "x" * 70_000}, 431),
        ("GET / HTTP/1.1", {f"X-{n}": "x" for n in range(200)}, 431),
        (f"GET /{'x' * 70_000} HTTP/1.1", {}, 414),
        ("what is this", {}, 400),
        ("GET / HTTP/9.9", {}, 400),
    ],
    ids=["long header", "many headers", "long path", "no request", "no version"],
)
def test_what_is_no_request_is_refused_in_json(
    server: HttpServer, request_line: str, headers: dict[str, str], status: int
) -> None:
    lines = [request_line, *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    [answer] = spoken(server, "\r\n".join(lines).encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Content-Type: application/json" in head
    assert set(json.loads(body)) == {"message"}


def test_a_chunk_that_claims_too_much_is_refused(client: http.client.HTTPConnection) -> None:
    client.putrequest("POST", "/")
    client.putheader("Transfer-Encoding", "chunked")
    client.endheaders()
    client.send(f"{LIMIT + 1:x}\r\n".encode())
    assert client.getresponse().status == 413


def test_a_client_that_sends_everything_first_still_reads_the_refusal(client: http.client.HTTPConnection) -> None:
    status, _, body = ask(client, "POST", "/", body=b"x" * (2 * LIMIT))
    assert (status, json.loads(body)) == (413, {"message": "Request Entity Too Large"})


@pytest.mark.parametrize(
    ("header", "value"), [("Content-Length", "ten"), ("Content-Length", "-1"), ("Transfer-Encoding", "chunked")]
)
def test_a_body_without_a_sensible_size_is_a_400(client: http.client.HTTPConnection, header: str, value: str) -> None:
    client.putrequest("POST", "/")
    client.putheader(header, value)
    client.endheaders()
    client.send(b"zz\r\n")
    assert client.getresponse().status == 400


def test_a_refusal_is_worded_by_whoever_starts_the_server(echo: Echo) -> None:
    with HttpServer(echo, limit=3, refusal=lambda status: Response(status, [], b"no")) as server:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=20)
        status, _, body = ask(connection, "POST", "/", body=b"four")
        connection.close()
    assert (status, body) == (413, b"no")


def test_headers_of_the_answer_are_kept_and_those_of_the_connection_are_not(
    client: http.client.HTTPConnection, echo: Echo
) -> None:
    echo.says = Response(200, [("Keep-Alive", "timeout=1"), ("X-Mine", "1"), ("Set-Cookie", "a=b")], b"{}")
    headers = ask(client, "GET", "/")[1]
    assert (headers["x-mine"], headers["set-cookie"]) == ("1", "a=b")
    assert not {"keep-alive", "server"} & headers.keys()


def test_a_taken_port_moves_the_server_to_the_next(server: HttpServer, echo: Echo) -> None:
    with HttpServer(echo, port=server.port, limit=1) as other:
        assert other.port > server.port


def test_a_closed_server_answers_no_more(server: HttpServer) -> None:
    server.close()
    server.close()
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=5)
    with pytest.raises(OSError):  # noqa: PT011 - refused or reset, as the system likes
        ask(connection, "GET", "/")


def test_a_closed_server_drops_the_connections_it_has_kept(
    server: HttpServer, client: http.client.HTTPConnection
) -> None:
    assert ask(client, "GET", "/")[0] == 200
    server.close()
    client.auto_open = False
    with pytest.raises((OSError, http.client.HTTPException)):
        ask(client, "GET", "/")


def test_a_caller_who_hangs_up_before_the_answer_leaves_no_trace(capfd: pytest.CaptureFixture[str]) -> None:
    received, gone, at_work = threading.Event(), threading.Event(), list[threading.Thread]()

    def slow(_: Request) -> Response:
        at_work.append(threading.current_thread())
        received.set()
        gone.wait(10)
        return Response(200, [], b"too late")

    with HttpServer(slow, limit=LIMIT) as server:
        caller = socket.create_connection(("127.0.0.1", server.port))
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        caller.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert received.wait(10)
        caller.close()
        gone.set()
        at_work[0].join(10)
    assert capfd.readouterr() == ("", "")
