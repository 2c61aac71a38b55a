"""The plain URL of an HTTP API, in front of an emulator with prepared responses."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from localcloud.aws.gateway import LIMIT, Gateway, as_api_gateway
from localcloud.support.http_server import HttpServer, Request, Response

PREFIX = "/_aws/execute-api/abc/$default"


class Emulator:
    """Echoes the request, or gives a prepared response; records the connections that requests came over."""

    def __init__(self) -> None:
        self.says: Response | None = None
        self.threads: set[int] = set()

    def __call__(self, request: Request) -> Response:
        self.threads.add(threading.get_ident())
        echo = {
            "path": request.path,
            "method": request.method,
            "size": len(request.body),
            "host": request.header("host"),
        }
        return self.says or Response(200, [("X-Kind", "echo")], json.dumps(echo).encode())


@pytest.fixture
def emulator() -> Emulator:
    return Emulator()


@pytest.fixture
def client(emulator: Emulator) -> Iterator[http.client.HTTPConnection]:
    with HttpServer(emulator, limit=2 * LIMIT) as behind:
        gateway = Gateway(upstream=behind.url, prefix=PREFIX, certificate=None, port=0)
        connection = http.client.HTTPConnection(urlsplit(gateway.url).netloc, timeout=20)
        yield connection
        connection.close()
        gateway.close()


def ask(client: http.client.HTTPConnection, method: str, path: str, body: bytes = b"") -> tuple[int, dict, dict]:
    client.request(method, path, body)
    response = client.getresponse()
    headers = {key.lower(): value for key, value in response.getheaders()}
    return response.status, headers, json.loads(response.read())


def test_a_call_is_forwarded_below_the_apis_prefix(client: http.client.HTTPConnection) -> None:
    status, headers, echo = ask(client, "PATCH", "/v2/a%20b?x=1&x=2", b"\xff")
    assert (status, headers["x-kind"]) == (200, "echo")
    assert (echo["method"], echo["path"], echo["size"]) == ("PATCH", f"{PREFIX}/v2/a%20b?x=1&x=2", 1)
    assert echo["host"] == f"{client.host}:{client.port}"


def test_calls_share_a_connection_to_the_emulator(client: http.client.HTTPConnection, emulator: Emulator) -> None:
    for _ in range(20):
        ask(client, "GET", "/")
    assert len(emulator.threads) == 1


@pytest.mark.parametrize(("size", "status"), [(LIMIT, 200), (LIMIT + 1, 413)])
def test_ten_megabytes_are_accepted_and_a_byte_more_is_not(
    client: http.client.HTTPConnection, size: int, status: int
) -> None:
    assert ask(client, "POST", "/", b"x" * size)[0] == status


def test_a_failing_function_leaks_nothing(client: http.client.HTTPConnection, emulator: Emulator) -> None:
    failure = json.dumps({"errorMessage": "KeyError: /secret/path", "errorType": "Runtime.HandlerError"}).encode()
    emulator.says = Response(502, [("Content-Type", "application/json"), ("apigw-requestid", "abc=")], failure)
    status, headers, body = ask(client, "GET", "/")
    assert (status, body) == (500, {"message": "Internal Server Error"})
    assert headers["apigw-requestid"] == "abc="


def test_an_answer_of_the_wrong_shape_is_an_opaque_500() -> None:
    assert as_api_gateway(Response(500, [], b"")).body == b'{"message": "Internal Server Error"}'


@pytest.mark.parametrize("body", [b'{"detail":"upstream is down"}', b"not json", b"[1]", b""])
def test_a_502_that_the_function_chose_itself_is_left_alone(body: bytes) -> None:
    assert as_api_gateway(Response(502, [("X", "y")], body)) == (502, [("X", "y")], body)


def test_an_emulator_that_is_gone_is_a_503(emulator: Emulator) -> None:
    with HttpServer(emulator, limit=1) as behind:
        address = behind.url
    gateway = Gateway(upstream=address, prefix=PREFIX, certificate=None, port=0)
    connection = http.client.HTTPConnection(urlsplit(gateway.url).netloc, timeout=20)
    assert ask(connection, "GET", "/")[0] == 503
    connection.close()
    gateway.close()
