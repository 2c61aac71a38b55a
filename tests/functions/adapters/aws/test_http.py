from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from functions.adapters.aws.http import answer_of, request_of
from functions.core.http.json_codec import respond
from functions.core.http.messages import Response
from tests.functions.serving import event


def test_an_event_is_a_request() -> None:
    request = request_of(event("api_predict"))
    assert (request.method, request.path) == ("POST", "/predict")
    assert json.loads(request.body) == {"instances": [{"mean_radius": 1.0, "mean_texture": 9.0}]}
    assert request.headers["content-type"] == "application/json"
    assert request.request_id == "JKJaXmPLvHcESHA="
    assert request.caller == "address:203.0.113.7"


def test_a_named_stage_is_no_part_of_the_path_and_base64_is_undone() -> None:
    request = request_of(event("api_infer_jwt"))
    assert request.path == "/v2/models/tumour/infer"
    assert json.loads(request.body)["inputs"][0]["data"] == [9.0, 1.0]


def test_a_caller_is_who_it_says_else_who_was_authenticated_else_its_address() -> None:
    assert request_of(event("api_infer_jwt")).caller == "principal:client-42"
    assert request_of(event("api_ready_iam")).caller.endswith("assumed-role/client/session")
    named = event("api_infer_jwt")
    named["headers"]["X-Caller-Id"] = " patient-7 "
    assert request_of(named).caller == "id:patient-7"
    named["headers"]["X-Caller-Id"] = "x" * 5000
    assert len(request_of(named).caller) < 300


def test_a_request_without_a_body_has_an_empty_one() -> None:
    request = request_of(event("api_ready_iam"))
    assert (request.method, request.body) == ("GET", b"")


@pytest.mark.parametrize("body", ["not base64!", "\ud800", None, ""])
@pytest.mark.parametrize("encoded", [True, False])
def test_no_body_whatever_stops_the_unwrapping(body: str | None, encoded: bool) -> None:
    assert isinstance(request_of({**event("api_predict"), "body": body, "isBase64Encoded": encoded}).body, bytes)


def test_the_size_of_a_body_is_counted_after_base64() -> None:
    data = base64.b64encode(b"x" * 1_000_001).decode()
    assert len(request_of({**event("api_predict"), "body": data, "isBase64Encoded": True}).body) == 1_000_001


@pytest.mark.parametrize("bare", [{}, {"requestContext": {}, "headers": None}])
def test_an_event_without_its_parts_is_still_a_request(bare: dict[str, Any]) -> None:
    request = request_of(bare)
    assert request.path == "/"
    assert request.request_id


def test_a_response_is_the_gateways_answer() -> None:
    answer = answer_of(respond({"a": "ü"}, 202, {"location": "/x"}))
    assert answer == {
        "statusCode": 202,
        "headers": {"content-type": "application/json", "location": "/x"},
        "body": '{"a":"ü"}',
        "isBase64Encoded": False,
    }
    assert answer_of(Response(status=204, body=b""))["body"] == ""


def test_no_answer_holds_nan() -> None:
    assert respond({"a": [float("nan"), float("-inf"), 1.0]}).body == b'{"a":[null,null,1.0]}'


def test_half_of_a_surrogate_pair_stops_no_answer() -> None:
    assert respond({"a": "\ud800"}).body == b'{"a":"\\ud800"}'


def test_bytes_travel_as_base64() -> None:
    answer = answer_of(Response(status=200, body=b"\xff\x00", headers={"content-type": "application/octet-stream"}))
    assert (answer["body"], answer["isBase64Encoded"]) == ("/wA=", True)
