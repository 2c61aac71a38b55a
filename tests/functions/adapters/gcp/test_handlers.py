"""The functions under the real functions-framework, over stores in a folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from functions.core.jobs.job import Job
from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import promote_first
from functions.core.registry.versions import Registry
from functions.core.storage.objects import Objects
from functions.core.storage.store_url import open_store
from interface.operations import REQUEST_BYTES
from tests.functions.pushed import Framework, framework, recorded
from tests.functions.serving import MODEL, card_of, golden_of, model_bytes

pytestmark = pytest.mark.integration

PREDICT, INFER, READY = "gateway_predict", "gateway_infer_jwt", "gateway_ready"
PUSH, STEP = "pubsub_object_finalize", "workflow_abandon"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gcp")


@pytest.fixture(scope="module")
def store(workspace: Path) -> Callable[[str], Objects]:
    return lambda name: open_store(f"file://{workspace}/{name}")


@pytest.fixture(scope="module")
def variables(workspace: Path) -> dict[str, str]:
    urls = {name: f"file://{workspace}/{name}" for name in ("MODELS_URL", "JOBS_URL", "CAPTURES_URL")}
    serving = {"MODELS": MODEL, "POINTER_SECONDS": "0", "CAPTURE_INPUTS": "0.0", "LOG_LEVEL": "INFO"}
    serving |= {"ATTEMPTS": "5", "PARALLELISM": "2", "TIMEOUT_SECONDS": "120"}
    return {**urls, **serving, "ROLLOUT": '{"steps": [10, 50], "bake_seconds": 2, "patience": 3}'}


@pytest.fixture(scope="module")
def version(store: Callable[[str], Objects]) -> str:
    models, onnx = store("MODELS_URL"), model_bytes()
    version = Registry(models, MODEL).register(onnx, card_of(), golden_of(onnx), {})
    Live(models, MODEL).change(lambda pointer: promote_first(pointer, version, "first", 0.0))
    return version


@pytest.fixture(scope="module")
def predict(workspace: Path, variables: dict[str, str], version: str) -> Iterator[Framework]:
    with framework("predict", workspace / "predict", variables) as served:
        yield served


@pytest.fixture(scope="module")
def jobs(workspace: Path, variables: dict[str, str], version: str) -> Iterator[Framework]:
    with framework("jobs", workspace / "jobs", variables) as served:
        yield served


@pytest.fixture(scope="module")
def rollout(workspace: Path, variables: dict[str, str]) -> Iterator[Framework]:
    with framework("rollout", workspace / "rollout", variables) as served:
        yield served


def pushed(key: str, message: str = "1", kind: str = "OBJECT_FINALIZE") -> bytes:
    attributes = {"eventType": kind, "bucketId": "jobs", "objectId": key, "payloadFormat": "JSON_API_V1"}
    return json.dumps({"message": {"attributes": attributes, "data": "", "messageId": message}}).encode()


def test_predict_answers_what_the_gateway_forwards(
    predict: Framework, version: str, store: Callable[[str], Objects]
) -> None:
    trace = f"{'5' * 32}/1"
    status, headers, body = predict.replay(PREDICT, **{"X-Cloud-Trace-Context": f"{trace};o=1"})
    assert status == 200
    assert json.loads(body)["predictions"][0]["label"] == "benign"
    assert headers["x-model-version"] == version
    assert headers["x-request-id"] == trace
    assert headers["content-type"] == "application/json"
    [line] = [line for line in predict.logged() if line.get("request_id") == trace]
    assert (line["severity"], line["event"], line["status"]) == ("INFO", "request", 200)
    status, _, body = predict.replay(INFER)
    assert (status, json.loads(body)["outputs"][0]["data"]) == (200, [1])
    assert predict.replay(READY)[0] == 200
    assert any(store("CAPTURES_URL").keys(MODEL))


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/cloudevents+json",
    ],
)
def test_a_body_is_read_by_its_content_and_not_by_its_content_type(predict: Framework, kind: str) -> None:
    assert predict.replay(PREDICT, **{"Content-Type": kind})[0] == 200


@pytest.mark.parametrize("size", [REQUEST_BYTES + 1, 12_000_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused_in_words_however_it_comes(
    predict: Framework, size: int, chunked: bool
) -> None:
    body = (b" " * 65_536 for _ in range(size // 65_536 + 1)) if chunked else b" " * size
    status, headers, answer = predict.send("POST", "/predict", {"Content-Type": "application/json"}, body)
    assert (status, headers["content-type"]) == (413, "application/problem+json")
    assert 'a tensor by {"upload": "npy"}' in json.loads(answer)["detail"]
    assert predict.replay(READY)[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/predict", 405), ("DELETE", "/v2", 405), ("GET", "/nothing", 404), ("GET", "/v2/models/a%2Fb", 404)],
)
def test_refusals_are_the_services_own(predict: Framework, method: str, path: str, status: int) -> None:
    received, headers, body = predict.send(method, path, {})
    assert received == status
    assert headers["x-request-id"]
    assert json.loads(body)


def test_a_function_that_cannot_be_composed_says_nothing_of_why(workspace: Path, variables: dict[str, str]) -> None:
    lacking = {name: value for name, value in variables.items() if name != "MODELS_URL"}
    with framework("predict", workspace / "lacking", lacking) as served:
        status, _, body = served.replay(PREDICT)
        assert status == 500
        assert b"MODELS_URL" not in body
        assert b"Traceback" not in body


def test_a_message_is_acknowledged_once_its_job_is_done_and_again_when_it_comes_again(
    jobs: Framework, store: Callable[[str], Objects], version: str
) -> None:
    store("JOBS_URL").put(f"{MODEL}/in/job-1", json.dumps({"instances": [[1, 9]]}).encode())
    assert jobs.replay(PUSH)[0] == 204
    result = store("JOBS_URL").get(f"{MODEL}/out/job-1.json")
    assert json.loads(result)["predictions"][0]["label"] == "benign"
    assert jobs.replay(PUSH)[0] == 204
    assert store("JOBS_URL").get(f"{MODEL}/out/job-1.json") == result


def plan_of_a_later_release(name: str, store: Objects) -> None:
    store.put_json(Job(model=MODEL, name=name).plan, {"format": 99})


def test_a_job_that_cannot_be_done_yet_comes_again_until_it_can(
    jobs: Framework, store: Callable[[str], Objects], workspace: Path
) -> None:
    job = Job(model=MODEL, name="late")
    store("JOBS_URL").put(job.input, json.dumps({"instances": [[9, 1]]}).encode())
    plan_of_a_later_release("late", store("JOBS_URL"))
    status, _, body = jobs.send("POST", "/", {"Content-Type": "application/json"}, pushed(job.input, "late-1"))
    assert (status, body) == (500, b"")
    [line, _] = [line for line in jobs.logged() if line.get("message") == "late-1"]
    assert (line["severity"], line["metric"], line["error"]) == ("ERROR", "MessageFailed", "ValueError")
    (workspace / "JOBS_URL" / job.plan).unlink()
    assert jobs.send("POST", "/", {}, pushed(job.input))[0] == 204


def test_the_last_time_that_a_message_comes_leaves_the_reason_in_the_store(
    jobs: Framework, store: Callable[[str], Objects]
) -> None:
    job = Job(model=MODEL, name="never")
    store("JOBS_URL").put(job.input, json.dumps({"instances": [[9, 1]]}).encode())
    plan_of_a_later_release("never", store("JOBS_URL"))
    envelope = {**json.loads(pushed(job.input)), "deliveryAttempt": 5}
    assert jobs.send("POST", "/", {}, json.dumps(envelope).encode())[0] == 500
    reason = store("JOBS_URL").get_json(f"{MODEL}/dead/never.json")
    assert (reason["deliveries"], reason["reason"]) == (5, f"ValueError: {job.plan}: this release reads format 2")


def test_a_job_at_fault_is_done_and_not_pushed_again(jobs: Framework, store: Callable[[str], Objects]) -> None:
    store("JOBS_URL").put(f"{MODEL}/in/bad", b'{"instances": "none"}')
    assert jobs.send("POST", "/", {}, pushed(f"{MODEL}/in/bad"))[0] == 204
    assert "error" in store("JOBS_URL").get_json(f"{MODEL}/out/bad.json")


@pytest.mark.parametrize(
    "body",
    [b"", b"text", b"null", b"[]", b"{}", b'{"message": 7}', b'{"message": {"attributes": null}}', b"[" * 100_000,
     pushed(f"{MODEL}/in/x", kind="OBJECT_DELETE"), pushed("elsewhere"), pushed(f"unknown/in/{'x' * 900}")],
)  # fmt: skip
def test_what_is_no_job_is_never_acknowledged_and_so_becomes_a_dead_letter(jobs: Framework, body: bytes) -> None:
    assert jobs.send("POST", "/", {"Content-Type": "application/json"}, body)[::2] == (500, b"")


def test_a_step_answers_the_workflow_with_json(rollout: Framework, store: Callable[[str], Objects]) -> None:
    store("MODELS_URL").put_json(f"{MODEL}/executions/lost.json", {"run": "never written"})
    trace = f"{'6' * 32}/1"
    status, headers, body = rollout.replay(STEP, **{"X-Cloud-Trace-Context": f"{trace};o=1"})
    assert (status, json.loads(body)) == (200, {"run": "never written"})
    assert headers["content-type"] == "application/json"
    assert store("MODELS_URL").get_json(f"{MODEL}/runs/never written/run.json")["cause"] == "a timeout"
    [line] = [line for line in rollout.logged() if line.get("request") == trace]
    assert (line["severity"], line["step"]) == ("INFO", "rollout")


def test_a_failure_of_a_step_is_returned_to_the_workflow(rollout: Framework) -> None:
    method, path, headers, _ = recorded(STEP)
    body = json.dumps({"action": "release", "model": MODEL, "run": "unknown"}).encode()
    status, _, answer = rollout.send(method, path, headers, body)
    assert status == 500
    assert json.loads(answer)["error"].startswith("ValueError: ")
    assert "registered no version" in json.loads(answer)["error"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'"x"', b"{", b"\xff", b"[" * 100_000, b'{"a": "%s"}' % (b"x" * 700_000)]
)
def test_a_payload_that_is_no_object_is_the_workflows_fault(rollout: Framework, body: bytes) -> None:
    status, _, answer = rollout.send("POST", "/", {"Content-Type": "application/json"}, body)
    assert status == 400
    assert "JSON object" in json.loads(answer)["error"]
