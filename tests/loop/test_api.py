from __future__ import annotations

import gzip
import json
import uuid
from typing import Any

import pytest

from models.breast_cancer import sample
from tests.loop.running import MODEL, PREDICT, Running
from tests.loop.test_training import CASES

GOOD = CASES[0]
NAMES = sample.header()[:-1]


def tensor(data: list[Any], shape: list[int], datatype: str = "FP32", name: str = "features") -> dict[str, Any]:
    return {"inputs": [{"name": name, "shape": shape, "datatype": datatype, "data": data}]}


def test_the_open_inference_protocol_and_plain_predict_agree(running: Running) -> None:
    _, _, plain = running.post(PREDICT, {"instances": CASES[:3]})
    data = [value for case in CASES[:3] for value in case.values()]
    status, headers, infer = running.post(f"/v2/models/{MODEL}/infer", {"id": "42", **tensor(data, [3, 30])})
    outputs = {output["name"]: output for output in infer["outputs"]}
    assert (status, infer["id"], infer["model_name"]) == (200, "42", MODEL)
    assert outputs["probabilities"]["shape"] == [3, 2]
    expected = [p for prediction in plain["predictions"] for p in prediction["probabilities"].values()]
    assert outputs["probabilities"]["data"] == pytest.approx(expected, abs=1e-6)
    assert headers["x-model-version"] == infer["model_version"]
    assert headers["x-request-id"]


def test_a_version_can_be_asked_by_its_name(running: Running) -> None:
    version = running.live()["champion"]
    path = f"/v2/models/{MODEL}/versions/{version}"
    assert running.get(path)[2]["versions"] == [version]
    status, headers, _ = running.post(f"{path}/infer", tensor(list(GOOD.values()), [1, 30]))
    assert (status, headers["x-model-version"]) == (200, version)


def test_the_server_says_that_it_lives_what_it_is_and_what_it_speaks(running: Running) -> None:
    assert running.get("/v2/health/live")[0] == 200
    # A finished model goes live after a deployment, by itself.
    running.wait(lambda: running.get("/v2/health/ready")[0] == 200 or None, "every model to be live")
    assert running.get("/v2")[2]["name"]
    document = running.get("/openapi.json")[2]
    assert document["openapi"].startswith("3.")
    assert "/v2/models/{model}/infer" in document["paths"]


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ({"instances": [{k: v for k, v in GOOD.items() if k != "mean_radius"}]}, 400, "mean_radius"),
        ({"instances": [{**GOOD, "mean_radios": 1}]}, 400, "mean_radios"),
        ({"instances": [{**GOOD, "mean_radius": "much"}]}, 400, "mean_radius"),
        ({"instances": [{**GOOD, "mean_radius": -1}]}, 400, "mean_radius"),
        ({"instances": [[1.0, 2.0]]}, 400, "30"),
        ({"instances": []}, 400, "instances"),
        ({}, 400, "instances"),
        (b'{"instances": [{"mean_radius": NaN}]}', 400, ""),
        (b'{"instances": [{"mean_radius": 1e999}]}', 400, ""),
        (b'{"instances": [{"mean_radius": 1, "mean_radius": 2}]}', 400, "mean_radius"),
        (b"not json", 400, "JSON"),
        (b"\xff\xfe", 400, ""),
        (b"[" * 500_000, 400, ""),
        (b'"' + b"x" * 6_100_000 + b'"', 413, ""),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_bad_request_is_answered_with_what_is_wrong(
    running: Running, body: object, status: int, expected: str
) -> None:
    received, _, answer = running.post(PREDICT, body)
    text = json.dumps(answer)
    assert received == status, text
    assert expected in text
    assert "Traceback" not in text
    assert len(text) < 4000


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (tensor([1.0] * 30, [1, 30], name="X"), "features"),
        (tensor([1.0] * 30, [1, 29]), "shape"),
        (tensor([1.0] * 29, [1, 30]), "30"),
        (tensor([1] * 30, [1, 30], datatype="INT64"), "FP32"),
        (tensor(["a"] * 30, [1, 30]), "FP32"),
        (tensor([-1.0] * 30, [1, 30]), "mean_radius"),
        ({"inputs": []}, "inputs"),
        ({**tensor([1.0] * 30, [1, 30]), "outputs": [{"name": "nothing"}]}, "accepted: label, probabilities"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_bad_tensor_is_answered_with_the_protocols_own_error(running: Running, body: object, expected: str) -> None:
    status, _, answer = running.post(f"/v2/models/{MODEL}/infer", body)
    assert status == 400
    assert expected in answer["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/models/unknown", 404),
        ("GET", f"/v2/models/{MODEL}/versions/0000000000000000", 404),
        ("GET", "/nowhere", 404),
        ("GET", f"/v2/models/{MODEL}/jobs/none", 404),
    ],
)
def test_what_does_not_exist_is_not_found(running: Running, method: str, path: str, status: int) -> None:
    assert running.call(method, path, b"", {})[0] == status


def test_a_compressed_body_is_answered_and_another_compression_refused(running: Running) -> None:
    body = gzip.compress(json.dumps({"instances": [GOOD]}).encode())
    as_bytes = {"content_type": "application/octet-stream"}
    assert running.post(PREDICT, body, content_encoding="gzip", **as_bytes)[0] == 200
    assert running.post(PREDICT, body, content_encoding="br", **as_bytes)[0] == 415


def test_a_job_is_answered_later_and_only_once(running: Running) -> None:
    path, key = f"/v2/models/{MODEL}/jobs", uuid.uuid4().hex
    status, _, job = running.post(path, {"instances": CASES[:5]}, idempotency_key=key)
    assert status == 202
    assert running.post(path, {"instances": CASES[:5]}, idempotency_key=key)[2]["id"] == job["id"]

    def done() -> dict[str, Any] | None:
        record = running.get(f"{path}/{job['id']}")[2]
        return record if record["status"] == "done" else None

    result = running.wait(done, "the job to be done")["result"]
    _, _, directly = running.post(PREDICT, {"instances": CASES[:5]})
    assert result["predictions"] == directly["predictions"]


def test_a_file_dropped_among_the_jobs_is_the_same_thing(running: Running) -> None:
    name = uuid.uuid4().hex
    running.jobs.put(f"{MODEL}/in/{name}", json.dumps({"instances": CASES[:2]}).encode())
    key = f"{MODEL}/out/{name}.json"
    running.wait(lambda: key in running.jobs.keys(f"{MODEL}/out/") or None, "the result")
    assert len(json.loads(running.jobs.get(key))["predictions"]) == 2


def test_a_job_that_makes_no_sense_gets_its_error_as_the_result(running: Running) -> None:
    name = uuid.uuid4().hex
    running.jobs.put(f"{MODEL}/in/{name}", b"not json")
    key = f"{MODEL}/out/{name}.json"
    running.wait(lambda: key in running.jobs.keys(f"{MODEL}/out/") or None, "the result")
    assert "JSON" in running.jobs.get(key).decode()
