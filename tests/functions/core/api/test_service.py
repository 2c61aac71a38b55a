"""The HTTP API as its callers see it."""

from __future__ import annotations

import base64
import gzip
import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.core.api.service import LARGEST_ANSWER, METHODS, Service
from functions.core.http.messages import BINARY, Response
from functions.core.onnx.tensor_bytes import LENGTH
from tests.functions.serving import BENIGN, MALIGNANT, MODEL, POISON, Bench, model_bytes, said

INFER = f"/v2/models/{MODEL}/infer"
CODED = [
    {"name": "size", "kind": "integer", "missing": 1.0},
    {"name": "shape", "kind": "category", "categories": ["round", "oval"]},
]


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.champion()
    return made


@pytest.fixture(scope="module")
def shared() -> Bench:
    made = Bench()
    made.champion()
    return made


def tensor(**changes: Any) -> dict[str, Any]:
    given_ = {"name": "X", "shape": [2, 2], "datatype": "FP32", "data": [1.0, 9.0, 9.0, 1.0], **changes}
    return {"inputs": [given_]}


def fault(response: Response) -> tuple[str, str]:
    error = said(response)["errors"][0]
    return error["field"], error["message"]


def test_rows_by_name_and_rows_in_order_get_the_same_answer(shared: Bench) -> None:
    response = shared.predict(BENIGN, [9.0, 1.0])
    assert response.status == 200
    answer = said(response)
    assert [row["label"] for row in answer["predictions"]] == ["benign", "malignant"]
    assert answer["predictions"] == said(shared.predict([1, 9], MALIGNANT))["predictions"]
    for row in answer["predictions"]:
        assert sum(row["probabilities"].values()) == pytest.approx(1.0)
    version = shared.live.read().champion
    assert (answer["model"], answer["version"], answer["variant"]) == (MODEL, version, "champion")
    assert response.headers["x-model"] == MODEL
    assert response.headers["x-model-version"] == version
    assert response.headers["x-model-variant"] == "champion"
    assert response.headers["x-request-id"] == "r-a caller"


def test_a_model_is_asked_by_its_name_too(shared: Bench) -> None:
    named = shared.send("POST", f"/models/{MODEL}/predict", {"instances": [BENIGN]})
    assert named.body == shared.predict(BENIGN).body


@pytest.mark.parametrize(
    ("row", "field", "message"),
    [
        ({"mean_radius": 1.0}, "instances[0].mean_texture", "is missing; accepted: a finite number, 0 or more"),
        ({**BENIGN, "mean_radios": 1.0}, "instances[0].mean_radios", "is not a feature; did you mean mean_radius?"),
        ({**BENIGN, "zzz": 1}, "instances[0].zzz", "is not a feature; accepted: mean_radius, mean_texture"),
        ({**BENIGN, "mean_radius": -1}, "instances[0].mean_radius", "is not a finite number from 0 to 1000"),
        ({**BENIGN, "mean_radius": 1001}, "instances[0].mean_radius", "is not a finite number from 0 to 1000"),
        ({**BENIGN, "mean_texture": "9.0"}, "instances[0].mean_texture", "is not a finite number, 0 or more"),
        ({**BENIGN, "mean_texture": True}, "instances[0].mean_texture", "is not a finite number, 0 or more"),
        ({**BENIGN, "mean_texture": [9.0]}, "instances[0].mean_texture", "is not a finite number, 0 or more"),
        ({**BENIGN, "mean_texture": None}, "instances[0].mean_texture", "is missing; accepted: a finite number"),
        ({**BENIGN, "mean_texture": 10**400}, "instances[0].mean_texture", "is beyond what 32 bits can hold"),
        ({**BENIGN, "mean_texture": 1e39}, "instances[0].mean_texture", "is beyond what 32 bits can hold"),
        ([1.0], "instances[0]", "has 1 values; accepted: 2"),
        (7, "instances[0]", "is not a row; accepted: {feature: value} or [value, ...]"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_by_name(row: Any, field: str, message: str, shared: Bench) -> None:
    response = shared.predict(row)
    assert response.status == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert fault(response)[0] == field
    assert fault(response)[1].startswith(message)


def test_the_faulty_row_is_named_among_good_ones(shared: Bench) -> None:
    assert fault(shared.predict(BENIGN, BENIGN, {"mean_radius": 1.0}))[0] == "instances[2].mean_texture"


def test_of_a_thousand_faults_only_the_first_are_reported(shared: Bench) -> None:
    answer = said(shared.predict(*[{"mean_radius": 1.0}] * 1000))
    assert len(answer["errors"]) == 20
    assert "the first are told" in answer["detail"]


@pytest.mark.parametrize("missing", [{"shape": "oval"}, {"size": None, "shape": "oval"}, {"size": 1, "shape": "oval"}])
def test_a_missing_value_with_a_rule_takes_its_place(missing: dict[str, Any]) -> None:
    bench = Bench()
    bench.champion(features=CODED)
    response = bench.predict(missing)
    assert response.status == 200
    assert said(response)["predictions"] == said(bench.predict([1, "oval"]))["predictions"]


@pytest.mark.parametrize(("row", "message"), [
    ({"size": 1.5, "shape": "oval"}, "is not a whole number"),
    ({"size": 1, "shape": "square"}, "is not one of round, oval"),
    ({"size": 1, "shape": 1}, "is not one of round, oval"),
])  # fmt: skip
def test_categories_and_whole_numbers_are_checked_by_their_kind(row: Any, message: str) -> None:
    bench = Bench()
    bench.champion(features=CODED)
    assert fault(bench.predict(row))[1] == message


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (b"", 400, "is not JSON"),
        (b"{", 400, "is not JSON"),
        (b"\xff\xfe{}", 400, "not UTF-8"),
        ('{"instances": [[1, 9]]}'.encode("utf-16"), 400, "not UTF-8"),
        (b"[]", 400, "not a JSON object"),
        (b"null", 400, "not a JSON object"),
        (b'{"instances": [[1, 9]], "instances": [[1, 9]]}', 400, "twice"),
        (b'{"instances": [{"mean_radius": 1, "mean_radius": 2, "mean_texture": 1}]}', 400, "twice"),
        (b'{"instances": [[NaN, 9]]}', 400, "NaN and Infinity"),
        (b'{"instances": [[-Infinity, 9]]}', 400, "NaN and Infinity"),
        (b'{"instances": [[' + b"9" * 5000 + b", 9]]}", 400, "too many digits"),
        (b"[" * 100_000 + b"]" * 100_000, 400, "too deep"),
        (b'{"instances": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}", 400, "too deep"),
        (b'{"instances": [{"\\ud800": 1}]}', 400, "surrogate"),
        (b'{"instances": [[1e999, 9]]}', 400, "beyond what 64 bits can hold"),
        (b'{"instances": [["\\ud800"]]}', 400, "surrogate"),
        (b'{"instances" : [[1, 9]], "instances": [[1, 9]]}', 400, "twice"),
        (b'{"instances": [{"a:b": 1, "a:b": 2}]}', 400, "twice"),
        (b'{"instances": ["' + b"a" * 6_000_000 + b'"]}', 413, "more than 6000000 bytes"),
    ],
)
@pytest.mark.parametrize("path", ["/predict", INFER, f"/v2/models/{MODEL}/jobs"])
def test_a_body_that_cannot_be_read_is_refused_everywhere(
    body: bytes, status: int, text: str, path: str, shared: Bench
) -> None:
    response = shared.send("POST", path, body)
    assert response.status == status
    assert text in response.body.decode()


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (b"{}", 400, "instances"),
        (b'{"instances": []}', 400, "no rows"),
        (b'{"instances": {}}', 400, "no rows"),
        (b'{"instances": [[1, 9]], "extra": 1}', 400, "more than instances"),
        (b'{"instances": [' + b"0," * 10_000 + b"0]}", 413, "more than 10000 rows"),
    ],
)
def test_a_body_without_rows_that_can_be_answered_is_refused(
    body: bytes, status: int, text: str, shared: Bench
) -> None:
    response = shared.send("POST", "/predict", body)
    assert response.status == status
    assert text in response.body.decode()


@pytest.mark.parametrize(("encoding", "compress"), [
    ("gzip", gzip.compress), (" GZIP", gzip.compress), ("deflate", zlib.compress), ("identity", bytes),
])  # fmt: skip
def test_a_compressed_body_is_answered_like_any_other(
    encoding: str, compress: Callable[[bytes], bytes], shared: Bench
) -> None:
    for path, body in (("/predict", {"instances": [BENIGN]}), (INFER, tensor())):
        sent = compress(json.dumps(body).encode())
        response = shared.send("POST", path, sent, headers={"content-encoding": encoding})
        assert (response.status, response.body) == (200, shared.send("POST", path, body).body)


@pytest.mark.parametrize(("encoding", "body", "status", "told"), [
    ("br", b"{}", 415, "something else than gzip, deflate"),
    ("gzip, gzip", b"{}", 415, "something else than gzip, deflate"),
    ("gzip", b"{}", 400, "the body is not gzip; a gateway passes compressed bytes on only with content-type: app"),
    ("gzip", gzip.compress(b"{}", mtime=0)[:-1], 400, "not one whole stream of gzip"),
    ("gzip", gzip.compress(b"{}", mtime=0) * 2, 400, "not one whole stream of gzip"),
    ("gzip", gzip.compress(bytes(6_000_001), mtime=0), 413, "more than 6000000 bytes"),
    ("gzip", gzip.compress(bytes(100_000_000), mtime=0), 413, "more than 6000000 bytes"),
    ("deflate", b"", 400, "not one whole stream of deflate"),
])  # fmt: skip
def test_a_compressed_body_that_cannot_be_read_is_refused(
    encoding: str, body: bytes, status: int, told: str, shared: Bench
) -> None:
    for path in ("/predict", INFER, f"/v2/models/{MODEL}/jobs"):
        response = shared.send("POST", path, body, headers={"content-encoding": encoding})
        assert response.status == status
        assert told in response.body.decode()
        assert ("accept-encoding" in response.headers) == (status == 415)


def replaced(body: bytes) -> bytes:
    """Return what API Gateway passes on of a body that it takes for text."""
    return body.decode("utf-8", "replace").encode()


@pytest.mark.parametrize("kind", ["application/json", "text/plain; charset=utf-8", "application/vnd.a+json"])
@pytest.mark.parametrize("values", [[1.0, 9.0], [float.fromhex("0x1.020202p+0")] * 2])
def test_bytes_that_travelled_as_text_are_refused_with_the_type_to_send(
    kind: str, values: list[float], shared: Bench
) -> None:
    about = {"name": "X", "shape": [1, 2], "datatype": "FP32", "parameters": {"binary_data_size": 8}}
    text = json.dumps({"inputs": [about]}).encode()
    sent = text + struct.pack("<2f", *values)
    headers = {"inference-header-content-length": str(len(text)), "content-type": kind}
    response = shared.send("POST", INFER, replaced(sent), headers=headers)
    assert response.status == 415
    assert "accepted: content-type: application/octet-stream" in said(response)["error"]
    raw = shared.send("POST", INFER, replaced(sent[len(text) :]), headers={**headers, LENGTH: "0"})
    assert raw.status == 415
    assert shared.send("POST", INFER, sent, headers={**headers, "content-type": BINARY}).status == 200


def test_json_in_which_a_gateway_replaced_bytes_is_refused(shared: Bench) -> None:
    for path in ("/predict", INFER, f"/v2/models/{MODEL}/jobs"):
        latin = json.dumps({"instances": ["München"]}, ensure_ascii=False).encode("latin-1")
        response = shared.send("POST", path, replaced(latin))
        assert response.status == 400
        assert "which stands for bytes that are not UTF-8" in response.body.decode()
        assert shared.send("POST", path, latin).status == 400
    assert "U+FFFD" not in shared.send("POST", "/predict", b'{"instances": ["\\ufffd"]}').body.decode()


def test_what_was_sent_is_not_sent_back_at_length(shared: Bench) -> None:
    for body in (
        {"instances": [{"x" * 900_000: 1}]},
        {"instances": [{"<script>\n" * 50: 1}]},
        {"instances": [{**BENIGN, "mean_radius": "secret" * 10_000}]},
    ):
        response = shared.send("POST", "/predict", body)
        assert response.status == 400
        assert len(response.body) < 1000
        assert b"secret" not in response.body
        assert b"\\n" not in response.body


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/", 404), ("GET", "/predict", 405), ("DELETE", INFER, 405), ("POST", "/v2", 405), ("GET", "/v3", 404),
    ("POST", "/models/other/predict", 404), ("POST", "/v2/models/other/infer", 404), ("GET", "/v2/models/other", 404),
    ("POST", "/v2/models/..%2f..%2fx/infer", 404), ("GET", f"/v2/models/{MODEL}/versions/0000000000000000", 404),
    ("GET", f"/v2/models/{MODEL}/versions/../x", 404), ("GET", f"/v2/models/{MODEL}/versions/%2e%2e", 404),
    ("POST", "/v2/models/other/jobs", 404), ("GET", f"/v2/models/{MODEL}/jobs/none", 404),
    ("GET", f"/v2/models/{MODEL}/jobs/%2e%2e%2flive.json", 404),
])  # fmt: skip
def test_what_is_not_there_is_404_and_a_wrong_method_405(method: str, path: str, status: int, shared: Bench) -> None:
    response = shared.send(method, path, {} if method == "POST" else None)
    assert response.status == status
    assert ("allow" in response.headers) == (status == 405)
    assert ("error" in said(response)) == path.startswith("/v2")


@pytest.mark.parametrize(("method", "path"), [
    ("GET", f"/v2/models/{MODEL}/config"), ("GET", "/v2/models/stats"), ("POST", "/v2/repository/index"),
    ("GET", "/v2/systemsharedmemory/status"), ("GET", "/v2/trace/setting"), ("PUT", "/v2/a"),
])  # fmt: skip
def test_a_call_of_the_protocol_that_is_not_offered_is_refused_in_its_words(
    method: str, path: str, shared: Bench
) -> None:
    response = shared.send(method, path)
    assert response.status in (404, 405)
    assert set(said(response)) == {"error"}


def test_models_are_listed() -> None:
    bench = Bench()
    assert said(bench.send("GET", "/v2/models")) == {"models": [{"name": MODEL, "version": None, "ready": False}]}
    version = bench.champion()
    assert said(bench.send("GET", "/v2/models")) == {"models": [{"name": MODEL, "version": version, "ready": True}]}


def test_a_trailing_slash_changes_nothing(shared: Bench) -> None:
    assert shared.send("GET", "/v2/").body == shared.send("GET", "/v2").body


def test_without_a_champion_the_caller_is_asked_to_come_again() -> None:
    bench = Bench()
    for method, path, body in (
        ("POST", "/predict", {"instances": [BENIGN]}),
        ("POST", INFER, tensor()),
        ("GET", f"/v2/models/{MODEL}/ready", None),
        ("GET", f"/v2/models/{MODEL}", None),
        ("GET", "/v2/health/ready", None),
    ):
        response = bench.send(method, path, body)
        assert response.status == 503
        assert int(response.headers["retry-after"]) > 0
    assert bench.send("GET", "/v2/health/live").status == 200
    bench.champion()
    assert bench.predict().status == 200


def test_the_protocol_describes_server_and_model(shared: Bench) -> None:
    assert said(shared.send("GET", "/v2/health/live")) == {"live": True}
    assert said(shared.send("GET", "/v2/health/ready")) == {"ready": True}
    assert said(shared.send("GET", "/v2")) == {
        "name": "serverless-ml",
        "version": "0.1.0",
        "extensions": ["binary_tensor_data"],
    }
    version = shared.live.read().champion
    about = {
        "name": MODEL,
        "versions": [version],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": "X", "datatype": "FP32", "shape": [-1, 2]}],
        "outputs": [
            {"name": "label", "datatype": "INT64", "shape": [-1]},
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, 2]},
        ],
    }
    assert said(shared.send("GET", f"/v2/models/{MODEL}")) == about
    assert said(shared.send("GET", f"/v2/models/{MODEL}/versions/{version}")) == about
    assert said(shared.send("GET", f"/v2/models/{MODEL}/ready"))["ready"] is True
    assert said(shared.send("GET", f"/v2/models/{MODEL}/versions/{version}/ready"))["ready"] is True


def test_inference_gives_every_output_under_its_own_name(shared: Bench) -> None:
    response = shared.send("POST", INFER, {**tensor(), "id": "42", "parameters": {"any": 1}})
    answer = said(response)
    assert answer["id"] == "42"
    assert (answer["model_name"], answer["model_version"]) == (MODEL, shared.live.read().champion)
    label, probabilities = answer["outputs"]
    assert label == {"name": "label", "datatype": "INT64", "shape": [2], "data": [0, 1]}
    assert (probabilities["shape"], len(probabilities["data"])) == ([2, 2], 4)
    plain = said(shared.predict(BENIGN, MALIGNANT))["predictions"]
    assert probabilities["data"][:2] == list(plain[0]["probabilities"].values())
    assert response.headers["x-model-variant"] == "champion"


def test_only_the_requested_outputs_are_returned(shared: Bench) -> None:
    answer = said(shared.send("POST", INFER, {**tensor(), "outputs": [{"name": "probabilities"}]}))
    assert [output["name"] for output in answer["outputs"]] == ["probabilities"]
    assert "id" not in answer


def test_data_may_come_nested(shared: Bench) -> None:
    nested = shared.send("POST", INFER, tensor(data=[[1.0, 9.0], [9.0, 1.0]]))
    assert nested.body == shared.send("POST", INFER, tensor()).body


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"inputs": []}, "inputs is not a list of one tensor or more"),
        ({"inputs": tensor()["inputs"] * 2}, "inputs[1].name stands twice"),
        ({"inputs": [1]}, "inputs[0] is not a tensor"),
        (tensor(name="Y"), "inputs[0].name is no input; accepted: X"),
        (tensor(datatype="FP64"), "inputs[0].datatype is FP64; accepted: FP32"),
        (tensor(datatype={}), "inputs[0].datatype is no datatype of this input; accepted: FP32"),
        (tensor(shape=[2, 3]), "inputs[0].shape is not a shape of this input; accepted: [-1, 2]"),
        (tensor(shape=[4]), "inputs[0].shape"),
        (tensor(shape=[2, True]), "inputs[0].shape"),
        (tensor(shape=[-1, 2]), "inputs[0].shape is not a shape of this input; accepted: [-1, 2]"),
        (tensor(shape=[0, 2], data=[]), "inputs[0].shape has no rows"),
        (tensor(shape=[3, 2]), "inputs[0].data holds 4 values; the shape says 6"),
        (tensor(data="1"), "inputs[0].data is not a list"),
        (tensor(data=[1.0, [2.0], 3.0, 4.0]), "inputs[0].data value 1 is no FP32"),
        (tensor(data=[[1.0, 2.0], 3.0]), "inputs[0].data mixes values and lists"),
        (tensor(data=[[1.0], [2.0, 3.0, 4.0]]), "inputs[0].data holds lists of other lengths than the shape [2, 2]"),
        (tensor(data=[1.0, "2", 3.0, 4.0]), "inputs[0].data value 1 is no FP32"),
        (tensor(data=[1.0, True, 3.0, 4.0]), "inputs[0].data value 1 is no FP32"),
        (tensor(data=[1.0, None, 3.0, 4.0]), "inputs[0].data value 1 is no FP32"),
        (tensor(data=[1.0, 10**400, 3.0, 4.0]), "inputs[0].data value 1 is no FP32"),
        (tensor(data=[1.0, 2.0, -3.0, 4.0]), "inputs[0].data row 1, mean_radius is not a finite number from 0 to 1000"),
        (tensor(data=[1.0, 1e39, 3.0, 4.0]), "inputs[0].data value 1 is no FP32"),
        ({**tensor(), "id": 42}, "id is not a text"),
        ({**tensor(), "outputs": [{"name": "zzz"}]}, "outputs[0].name is no output; accepted: label, probabilities"),
        ({**tensor(), "outputs": {"name": "label"}}, "outputs is not a list"),
        ({**tensor(), "outputs": [{"name": "label"}] * 2}, "outputs names one output twice"),
        ({**tensor(), "outputs": [{"name": "label", "parameters": {"binary_data": 1}}]}, "is neither true nor false"),
        ({**tensor(), "parameters": {"binary_data_output": "yes"}}, "parameters.binary_data_output is neither true"),
        ({**tensor(), "parameters": {"sequence_id": 7}}, "parameters.sequence_id is an extension"),
        ({**tensor(), "outputs": [{"name": "label", "parameters": {"classification": 2}}]}, "extension"),
        (tensor(parameters={"binary_data_size": 16}), "needs the header Inference-Header-Content-Length"),
        ({**tensor(), "parameters": []}, "parameters is not an object"),
    ],
)
def test_an_inference_that_does_not_fit_names_the_member(body: Any, text: str, shared: Bench) -> None:
    response = shared.send("POST", INFER, body)
    assert response.status == 400
    assert text in said(response)["error"]


@pytest.mark.parametrize(("value", "status"), [(1.0, 200), (0.5, 400), (2.0, 400), (-1.0, 400)])
def test_a_category_in_a_tensor_is_a_position(value: float, status: int) -> None:
    bench = Bench()
    bench.champion(features=CODED)
    assert bench.send("POST", INFER, tensor(shape=[1, 2], data=[3.0, value])).status == status


def test_any_registered_version_answers_by_its_name(bench: Bench) -> None:
    inverted = bench.register(model_bytes(slope=-1.0))
    champion = bench.live.read().champion
    for version, labels in ((inverted, [1, 0]), (champion, [0, 1])):
        response = bench.send("POST", f"/v2/models/{MODEL}/versions/{version}/infer", tensor())
        assert said(response)["outputs"][0]["data"] == labels
        assert response.headers["x-model-version"] == version
        assert response.headers["x-model-variant"] == "pinned"


def test_a_registered_version_that_is_damaged_is_503(bench: Bench) -> None:
    version = bench.register(model_bytes(slope=2.0))
    bench.models.put(bench.registry.key(version, "model.onnx"), b"damaged")
    assert bench.send("GET", f"/v2/models/{MODEL}/versions/{version}/ready").status == 503
    assert bench.logged("version does not load")[0]["version"] == version


def test_a_fault_of_ours_is_opaque_and_logged_in_full() -> None:
    bench = Bench()
    bench.champion(model_bytes(fails=True))
    for path in ("/predict", INFER):
        body = {"instances": [POISON]} if path == "/predict" else tensor(shape=[1, 2], data=[500.0, 1.0])
        response = bench.send("POST", path, body)
        assert response.status == 500
        assert "r-a caller" in response.body.decode()
        assert "Gather" not in response.body.decode()
        assert "Traceback" not in response.body.decode()
    assert "Traceback" in bench.logged("request failed")[0]["trace"]
    assert "Gather" in bench.logged("request failed")[0]["trace"]


@pytest.mark.parametrize("path", ["/predict", INFER])
def test_a_model_that_does_not_end_is_stopped_in_time_for_an_answer(path: str) -> None:
    bench = Bench(seconds=0.5)
    bench.champion(model_bytes(loops=True))
    body = {"instances": [POISON]} if path == "/predict" else tensor(shape=[1, 2], data=[500.0, 1.0])
    response = bench.send("POST", path, body)
    assert response.status == 504
    assert "the model did not answer within 0.5 seconds" in response.body.decode()
    assert bench.logged("model stopped")[0]["metric"] == "ModelStopped"
    assert bench.predict(BENIGN).status == 200


def test_a_challenger_that_does_not_end_leaves_the_champion_the_time_to_answer() -> None:
    bench = Bench(seconds=1.0)
    champion = bench.champion()
    bench.challenger(model_bytes(loops=True))
    response = bench.predict(POISON)
    assert (response.status, response.headers["x-model-version"]) == (200, champion)


def test_an_answer_too_large_for_the_gateway_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.core.api.service.LARGEST_ANSWER", 300)
    assert LARGEST_ANSWER < 6_000_000
    assert bench.predict(BENIGN).status == 200
    assert bench.predict(*[BENIGN] * 10).status == 413


def test_every_request_leaves_one_line(bench: Bench) -> None:
    bench.predict()
    bench.send("GET", "/nowhere")
    lines = bench.logged("request")
    assert [(line["operation"], line["status"]) for line in lines] == [("predict", 200), (None, 404)]
    assert lines[0]["version"] == bench.live.read().champion
    assert "mean_radius" not in bench.lines.getvalue()


def test_the_service_does_every_operation_that_it_lists() -> None:
    from interface.operations import OPERATIONS

    assert {operation.id: getattr(Service, operation.id) for operation in OPERATIONS} == METHODS


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "instances": JUNK | st.lists(st.fixed_dictionaries({}, optional={"mean_radius": JUNK, "mean_texture": JUNK})),
        "inputs": st.lists(
            st.fixed_dictionaries(
                {}, optional={name: JUNK for name in ("name", "shape", "datatype", "data", "parameters")}
            ),
            max_size=2,
        ),
        "outputs": JUNK,
        "id": JUNK,
        "parameters": JUNK,
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=JUNK | NEARLY, path=st.sampled_from(["/predict", INFER, f"/v2/models/{MODEL}/jobs"]))
def test_no_json_whatever_makes_a_500(body: Any, path: str, shared: Bench) -> None:
    assert shared.send("POST", path, json.dumps(body).encode()).status < 500


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(shape=JUNK, data=JUNK, datatype=st.sampled_from(["FP32", "INT64", "", None]))
def test_no_tensor_whatever_makes_a_500(shape: Any, data: Any, datatype: Any, shared: Bench) -> None:
    body = json.dumps(tensor(shape=shape, data=data, datatype=datatype)).encode()
    assert shared.send("POST", INFER, body).status < 500


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=st.binary(max_size=64), path=st.text(max_size=30), method=st.sampled_from(["GET", "POST", "PUT"]))
def test_no_bytes_and_no_path_whatever_make_a_500(body: bytes, path: str, method: str, shared: Bench) -> None:
    assert shared.send(method, f"/{path}", body).status < 500
    assert shared.send("POST", "/predict", base64.b64encode(body)).status < 500
