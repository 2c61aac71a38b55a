from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from functions.core.dataset import forecast_source
from functions.core.dataset.forecast import LARGEST, NoForecast
from functions.core.dataset.forecast_source import read, shown
from functions.core.storage.objects import Objects
from localcloud.support.http_server import HttpServer, Request, Response

GOOD = json.dumps([{"from": "2026-11-30T20:00Z", "to": "2026-11-30T21:00Z", "grams_per_kwh": 310}]).encode()
NOW = 1_796_068_800.0
"""2026-11-30T20:00Z."""
Serve = Callable[[Response], HttpServer]


@pytest.fixture
def data() -> Objects:
    return Objects.in_memory()


def test_a_forecast_lies_in_the_data_store_of_each_model(data: Objects) -> None:
    data.put("fruit/forecast.json", GOOD)
    assert read("forecast.json", data, "fruit", NOW).parts[0].grams == 310
    with pytest.raises(NoForecast, match=r"there is no nuts/forecast\.json in the data store"):
        read("forecast.json", data, "nuts", NOW)


def test_an_object_that_is_too_large_is_not_downloaded(data: Objects) -> None:
    data.put("fruit/forecast.json", b" " * (LARGEST + 1))
    with pytest.raises(NoForecast, match="has 1000001 bytes; at most 1000000"):
        read("forecast.json", data, "fruit", NOW)


def test_a_store_that_does_not_answer_is_no_reason_not_to_train() -> None:
    class Away(Objects):
        def get(self, key: str, *, at_most: int | None = None) -> bytes:
            raise ConnectionError("the store is away")

    with pytest.raises(NoForecast, match=r"forecast\.json could not be read: ConnectionError"):
        read("forecast.json", Away(Objects.in_memory()._store), "fruit", NOW)


def test_a_forecast_is_fetched_with_the_time_in_its_url(data: Objects) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> Response:
        asked.append(request)
        return Response(200, [], GOOD)

    with HttpServer(answer, limit=1000) as server:
        assert read(f"{server.url}/from/{{now}}/fw48h?key=secret", data, "fruit", NOW).parts[0].grams == 310
    assert [(request.method, request.path) for request in asked] == [
        ("GET", "/from/2026-11-30T20:00Z/fw48h?key=secret")
    ]


@pytest.mark.parametrize(
    ("response", "problem"),
    [
        pytest.param(Response(302, [("Location", "/elsewhere")], b""), "answered 302", id="a redirect"),
        pytest.param(Response(500, [], GOOD), "answered 500", id="a failure"),
        pytest.param(Response(200, [], b"<html>"), "not understood", id="a page"),
        pytest.param(Response(200, [], b" " * (LARGEST + 1)), "larger than 1,000,000 bytes", id="too much"),
    ],
)
def test_an_answer_that_is_no_forecast_is_refused(response: Response, problem: str, data: Objects) -> None:
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(request.path)
        return response

    with HttpServer(answer, limit=1000) as server, pytest.raises(NoForecast, match=problem) as refused:
        read(f"{server.url}/a?key=secret", data, "fruit", NOW)
    assert asked == ["/a?key=secret"], "it is asked once, and nowhere else"
    assert "secret" not in str(refused.value)


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_where_nobody_answers_it_is_said_in_a_sentence(silent: socket.socket, data: Objects) -> None:
    host, port = silent.getsockname()
    silent.close()
    with pytest.raises(NoForecast, match=f"{host}:{port} does not answer: ConnectionRefusedError"):
        read(f"http://{host}:{port}/", data, "fruit", NOW)


def test_who_answers_drop_by_drop_is_not_waited_for(
    silent: socket.socket, data: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, port = silent.getsockname()
    monkeypatch.setattr(forecast_source, "SECONDS", 0.3)
    over = threading.Event()

    def drip() -> None:
        connection, _ = silent.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not over.wait(0.05):
                try:
                    connection.sendall(b"x-more: 1\r\n")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        with pytest.raises(NoForecast, match="took longer than"):
            read(f"http://{host}:{port}/", data, "fruit", NOW)
    finally:
        over.set()
        thread.join()


def test_of_a_url_people_see_the_host_alone() -> None:
    assert shown("https://example.org/a-key/forecast?token=b") == "example.org"
    assert shown("forecast.json") == "forecast.json"
