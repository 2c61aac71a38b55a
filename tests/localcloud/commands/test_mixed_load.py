"""A mixed load asks everything, and notices an answer that is missing, short or another than before."""

from __future__ import annotations

import json
import threading
from array import array
from collections.abc import Callable

import pytest

from localcloud.commands.client import Call, Reply
from localcloud.commands.mixed_load import LENGTH, MixedLoad, Question, questions
from localcloud.support.http_server import HttpServer, Request, Response, json_response

CASES = [{"x": float(n), "y": 0.5} for n in range(120)]
VERSION = ("x-model-version", "v1")


def predicted(reply: Reply) -> list[float]:
    return reply.content["predictions"]


ROWS = Question(call=Call(name="two rows", path="/rows"), rows=2, read=predicted)
READY = Question(call=Call(name="readiness", path="/ready", method="GET"))
BROKEN = Question(call=Call(name="broken", path="/broken", expected=400))


def answer(request: Request) -> Response:
    if request.path == "/rows":
        return json_response(200, {"predictions": [0.25, 0.75]}, VERSION)
    return json_response(400 if request.path == "/broken" else 200, {})


def asked(answered: Callable[[Request], Response], *, times: int = 12, clients: int = 2) -> MixedLoad:
    """Return a load of two clients that has asked some times."""
    enough, count = threading.Event(), iter(range(1, 1_000_000))

    def counted(request: Request) -> Response:
        if next(count) == times:
            enough.set()
        return answered(request)

    with HttpServer(counted, limit=100_000) as server:
        load = MixedLoad(server.url.removeprefix("http://"), [ROWS, READY, BROKEN], clients=clients)
        with load:
            assert enough.wait(60)
    return load


def test_a_load_whose_every_answer_is_as_expected_is_convincing() -> None:
    load = asked(answer)
    assert load.convincing
    assert set(load.figures.answers) == {"two rows", "readiness", "broken"}
    assert not [thread for thread in threading.enumerate() if "MixedLoad" in thread.name]


def test_a_question_that_was_never_answered_shows_nothing() -> None:
    load = asked(answer, times=1, clients=1)
    load.figures.answers.pop("readiness", None)
    assert not load.convincing


@pytest.mark.parametrize("predictions", [[], [0.25], [0.25, 0.75, 0.5], "no rows", None])
def test_another_number_of_rows_than_was_asked_for_is_wrong(predictions: object) -> None:
    def short(request: Request) -> Response:
        return answer(request) if request.path != "/rows" else json_response(200, {"predictions": predictions}, VERSION)

    load = asked(short)
    assert not load.convincing
    assert load.figures.wrong[0].startswith("two rows: ")


def test_another_answer_of_the_same_version_is_wrong_and_that_of_another_version_is_not() -> None:
    count = iter(range(1_000_000))

    def other(request: Request) -> Response:
        return (
            answer(request)
            if request.path != "/rows"
            else json_response(200, {"predictions": [next(count), 0]}, VERSION)
        )

    def versions(request: Request) -> Response:
        if request.path != "/rows":
            return answer(request)
        number = next(count)
        return json_response(200, {"predictions": [number, 0]}, ("x-model-version", f"v{number}"))

    assert not asked(other).convincing
    assert asked(versions).convincing


def test_a_request_that_is_to_be_refused_and_is_not_has_failed() -> None:
    load = asked(lambda request: json_response(200, {}) if request.path == "/broken" else answer(request))
    assert not load.convincing
    assert load.figures.failed["broken: HTTP 200"] > 0


def test_the_questions_are_of_every_kind_for_both_models() -> None:
    found = {question.call.name: question for question in questions("trained_one", CASES, "finished_one")}
    assert json.loads(found["trained, a row"].call.body) == {"instances": [[0.0, 0.5]]}
    assert [question.rows for question in found.values() if question.rows] == [1, 100, 100, 1, 32, 32]
    paths = {question.call.path for question in found.values()}
    assert {"/models/trained_one/predict", "/v2/models/finished_one/infer", "/v2/models/trained_one"} <= paths
    assert sorted(question.call.expected for question in found.values() if question.call.expected != 200) == [
        400,
        400,
        400,
        404,
    ]


def test_tensors_are_sent_and_read_as_bytes() -> None:
    found = {question.call.name: question for question in questions("trained_one", CASES, "finished_one")}
    question = found["trained, 100 rows of bytes"]
    length = int(question.call.headers[LENGTH])
    (tensor,) = json.loads(question.call.body[:length])["inputs"]
    assert (tensor["shape"], tensor["parameters"]["binary_data_size"]) == ([100, 2], 800)
    assert array("f", question.call.body[length:]).tolist()[:4] == [0.0, 0.5, 1.0, 0.5]
    outputs = [
        {"name": "label", "datatype": "INT64", "shape": [2, 1], "parameters": {"binary_data_size": 16}},
        {"name": "scores", "datatype": "FP32", "shape": [2, 2], "parameters": {"binary_data_size": 16}},
    ]
    header = json.dumps({"outputs": outputs}).encode()
    body = header + array("q", [7, 8]).tobytes() + array("f", [0.25, 0.75, 1.0, 0.0]).tobytes()
    reply = Reply(status=200, headers={LENGTH: str(len(header))}, body=body)
    assert question.read(reply) == [[[7], [0.25, 0.75]], [[8], [1.0, 0.0]]]
