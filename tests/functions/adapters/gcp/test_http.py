from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder

from functions.adapters.gcp.http import USERINFO, answer_of, body_of, request_of
from functions.core.http.json_codec import respond
from functions.core.http.messages import Response
from interface.operations import REQUEST_BYTES
from tests.functions.pushed import request


def userinfo(payload: Any) -> dict[str, str]:
    return {USERINFO: base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")}


def test_what_the_gateway_forwards_is_a_request() -> None:
    converted = request_of(request("gateway_predict"))
    assert (converted.method, converted.path) == ("POST", "/predict")
    assert json.loads(converted.body) == {"instances": [{"mean_radius": 1.0, "mean_texture": 9.0}]}
    assert converted.headers["content-type"] == "application/json"
    assert converted.request_id == "105445aa7843bc8bf206b12000100000/1"
    assert converted.caller == "address:203.0.113.7"


def test_the_query_is_no_part_of_the_path_and_an_encoded_slash_stays_in_its_segment() -> None:
    assert request_of(request("gateway_infer_jwt")).path == "/v2/models/tumour/infer"
    environ = {**EnvironBuilder().get_environ(), "RAW_URI": "/v2/models/a%2Fb?x=/y"}
    flask_request = request("gateway_ready")
    flask_request.environ.update(environ)
    assert request_of(flask_request).path == "/v2/models/a%2Fb"


def test_a_caller_is_who_it_says_else_who_was_authenticated_else_its_address() -> None:
    assert request_of(request("gateway_infer_jwt")).caller == "principal:client-42"
    assert request_of(request("gateway_ready")).caller == "address:203.0.113.7"
    assert request_of(request("gateway_infer_jwt", **{"X-Caller-Id": " patient-7 "})).caller == "id:patient-7"


@pytest.mark.parametrize("padding", ["", "="])
def test_the_payload_of_the_verified_token_is_read_with_and_without_padding(padding: str) -> None:
    header = userinfo({"sub": "a?b>c~"})
    assert request_of(request("gateway_ready", **{USERINFO: header[USERINFO] + padding})).caller == "principal:a?b>c~"


@pytest.mark.parametrize(
    "header",
    ["", "not base64!", "é", "bnVsbA", *(userinfo(payload)[USERINFO] for payload in ([], {}, {"sub": 7}))],
)
def test_a_payload_that_names_nobody_leaves_the_address(header: str) -> None:
    assert request_of(request("gateway_ready", **{USERINFO: header})).caller == "address:203.0.113.7"


def test_a_request_is_in_its_callers_trace_or_else_in_googles() -> None:
    own = request_of(request("gateway_predict", Traceparent="none")).span
    carried = request_of(request("gateway_predict", Traceparent=f"00-{'a' * 32}-{'b' * 16}-01")).span
    assert own is not None
    assert carried is not None
    assert (own.trace_id, own.parent_id) == ("105445aa7843bc8bf206b12000100000", "")
    assert (carried.trace_id, carried.parent_id) == ("a" * 32, "b" * 16)


@pytest.mark.parametrize("trace", ["", "x", "105445aa7843bc8bf206b12000100000", "105445AA/1", "\u00e9/1;o=1"])
def test_a_request_without_a_trace_of_google_gets_a_name_of_its_own(trace: str) -> None:
    names = {request_of(request("gateway_ready", **{"X-Cloud-Trace-Context": trace})).request_id for _ in range(2)}
    assert len(names) == 2
    assert all(len(name) == 32 for name in names)


def test_a_body_is_read_only_so_far_that_it_is_seen_to_be_too_large() -> None:
    large = request("gateway_predict")
    large.environ.update(EnvironBuilder(method="POST", data=b"x" * (REQUEST_BYTES + 9)).get_environ())
    assert len(request_of(large).body) == REQUEST_BYTES + 1
    assert body_of(request("gateway_ready"), at_most=5) == b""


def test_a_response_is_the_frameworks_answer() -> None:
    answer = answer_of(respond({"a": "ü"}, 202, {"location": "/x"}))
    assert (answer.status_code, answer.data) == (202, '{"a":"ü"}'.encode())
    assert (answer.headers["Content-Type"], answer.headers["location"]) == ("application/json", "/x")
    assert answer_of(Response(status=200, body=b"\x00\xff", headers={"content-type": "a/b"})).data == b"\x00\xff"
