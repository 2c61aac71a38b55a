"""The front door, before a gateway that says what it was asked."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import urlsplit

import pytest

from infra.local.frontdoor import LIMIT, FrontDoor, translated

PREFIX = "/_aws/execute-api/abc/$default"


class Upstream(ThreadingHTTPServer):
    daemon_threads = True
    connections = 0
    both: threading.Barrier
    answer: tuple[int, dict[str, str], bytes] | None = None


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def upstream(self) -> Upstream:
        return cast("Upstream", self.server)

    def setup(self) -> None:
        super().setup()
        self.upstream.connections += 1

    def log_message(self, format: str, *args: object) -> None: ...

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.endswith("/together"):
            self.upstream.both.wait(timeout=10)
        said = {
            "method": self.command,
            "path": self.path,
            "body": body.decode("latin-1"),
            "headers": dict(self.headers.items()),
        }
        status, headers, content = self.upstream.answer or (200, {"X-Kind": "echo"}, json.dumps(said).encode())
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = answer


@contextmanager
def serving() -> Generator[Upstream]:
    server = Upstream(("127.0.0.1", 0), Echo)
    server.both = threading.Barrier(2)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with serving() as server:
        yield server


@pytest.fixture
def door(upstream: Upstream) -> Iterator[FrontDoor]:
    address = f"http://127.0.0.1:{upstream.server_address[1]}"
    with FrontDoor(upstream=address, prefix=PREFIX, certificate=None, port=0) as door:
        yield door


@pytest.fixture
def client(door: FrontDoor) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(door.url).netloc, timeout=20)
    yield connection
    connection.close()


def ask(client: http.client.HTTPConnection, method: str, path: str, **rest: object) -> tuple[int, dict, bytes]:
    client.request(method, path, **rest)  # ty: ignore[invalid-argument-type]
    response = client.getresponse()
    return response.status, {key.lower(): value for key, value in response.getheaders()}, response.read()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_method_path_query_body_and_headers_are_forwarded(client: http.client.HTTPConnection, method: str) -> None:
    status, headers, body = ask(client, method, "/v2/a%20b?x=1&x=2", body=b"\xff{}", headers={"X-Key": "k"})
    said = json.loads(body)
    assert (status, headers["x-kind"]) == (200, "echo")
    assert (said["method"], said["path"]) == (method, f"{PREFIX}/v2/a%20b?x=1&x=2")
    assert said["body"] == "\xff{}"
    assert said["headers"]["X-Key"] == "k"
    assert said["headers"]["Host"] == f"{client.host}:{client.port}"


def test_a_head_request_gets_headers_and_no_body(client: http.client.HTTPConnection) -> None:
    status, headers, body = ask(client, "HEAD", "/")
    assert (status, headers["x-kind"], body) == (200, "echo", b"")


def test_a_chunked_body_is_forwarded_whole(client: http.client.HTTPConnection) -> None:
    _, _, body = ask(client, "POST", "/", body=iter([b"one ", b"two"]), encode_chunked=True)
    assert json.loads(body)["body"] == "one two"


def test_one_connection_serves_many_requests(client: http.client.HTTPConnection, upstream: Upstream) -> None:
    for number in range(50):
        assert json.loads(ask(client, "GET", f"/{number}")[2])["path"] == f"{PREFIX}/{number}"
    assert upstream.connections == 1


def test_requests_are_forwarded_side_by_side(door: FrontDoor) -> None:
    def call(_: int) -> int:
        connection = http.client.HTTPConnection(urlsplit(door.url).netloc, timeout=20)
        try:
            return ask(connection, "GET", "/together")[0]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(call, range(2))) == [200, 200]


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1])
def test_ten_megabytes_are_accepted_and_a_byte_more_is_not(client: http.client.HTTPConnection, size: int) -> None:
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


def test_a_failing_function_leaks_nothing(client: http.client.HTTPConnection, upstream: Upstream) -> None:
    failure = json.dumps({"errorMessage": "KeyError: /secret/path", "errorType": "Runtime.HandlerError"}).encode()
    upstream.answer = (502, {"Content-Type": "application/json", "apigw-requestid": "abc="}, failure)
    status, headers, body = ask(client, "GET", "/")
    assert (status, json.loads(body)) == (500, {"message": "Internal Server Error"})
    assert headers["apigw-requestid"] == "abc="


def test_an_answer_of_the_wrong_shape_is_an_opaque_500() -> None:
    assert translated((500, [], b""))[2] == b'{"message":"Internal Server Error"}'


@pytest.mark.parametrize("body", [b'{"detail":"upstream is down"}', b"not json", b"[1]", b""])
def test_a_502_that_the_function_chose_itself_is_left_alone(body: bytes) -> None:
    assert translated((502, [("X", "y")], body)) == (502, [("X", "y")], body)


def test_headers_of_the_function_are_kept_and_those_of_the_connection_are_not(
    client: http.client.HTTPConnection, upstream: Upstream
) -> None:
    upstream.answer = (200, {"Keep-Alive": "timeout=1", "X-Mine": "1", "Set-Cookie": "a=b"}, b"{}")
    headers = ask(client, "GET", "/")[1]
    assert (headers["x-mine"], headers["set-cookie"]) == ("1", "a=b")
    assert not {"keep-alive", "server"} & headers.keys()


def test_a_gateway_that_is_gone_is_a_503() -> None:
    with serving() as server:
        address = f"http://127.0.0.1:{server.server_address[1]}"
    with FrontDoor(upstream=address, prefix=PREFIX, certificate=None, port=0) as door:
        connection = http.client.HTTPConnection(urlsplit(door.url).netloc, timeout=20)
        assert ask(connection, "GET", "/")[0] == 503
        connection.close()


def test_a_taken_port_moves_the_door_to_the_next(door: FrontDoor) -> None:
    taken = urlsplit(door.url).port or 0
    with FrontDoor(upstream="http://127.0.0.1:9", prefix="", certificate=None, port=taken) as other:
        assert (urlsplit(other.url).port or 0) > taken


def test_a_closed_door_answers_no_more(door: FrontDoor) -> None:
    door.close()
    connection = http.client.HTTPConnection(urlsplit(door.url).netloc, timeout=5)
    with pytest.raises(OSError):  # noqa: PT011 - refused or reset, as the system likes
        ask(connection, "GET", "/")
