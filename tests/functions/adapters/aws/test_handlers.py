"""The functions from their event to their answer, over a store in a folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from functions.adapters.aws import environment
from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import promote_first
from functions.core.registry.versions import Registry
from functions.core.storage.objects import Objects
from functions.core.storage.store_url import open_store
from functions.entries.predict import predict
from tests.functions.mains import handle
from tests.functions.serving import MODEL, card_of, event, golden_of, model_bytes

CONTEXT = SimpleNamespace(aws_request_id="8f5b2c1e", get_remaining_time_in_millis=lambda: 60_000)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Objects]]:
    def url(name: str) -> str:
        return f"file://{tmp_path}/{name}"

    variables = {name: url(name) for name in ("MODELS_URL", "JOBS_URL", "CAPTURES_URL")}
    variables |= {"MODELS": MODEL, "POINTER_SECONDS": "5", "CAPTURE_INPUTS": "0.0", "LOG_LEVEL": "INFO"}
    variables |= {"ATTEMPTS": "5", "PARALLELISM": "2", "TIMEOUT_SECONDS": "120"}
    variables |= {"ROLLOUT": '{"steps": [10, 50], "bake_seconds": 2, "patience": 3}'}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    environment._composed.cache_clear()
    yield lambda name: open_store(url(name))
    environment._composed.cache_clear()


def champion(models: Objects) -> str:
    onnx = model_bytes()
    version = Registry(models, MODEL).register(onnx, card_of(), golden_of(onnx), {})
    Live(models, MODEL).change(lambda pointer: promote_first(pointer, version, "first", 0.0))
    return version


def test_predict_answers_the_gateways_event(
    store: Callable[[str], Objects], capsys: pytest.CaptureFixture[str]
) -> None:
    version = champion(store("MODELS_URL"))
    answer = handle("predict")(event("api_predict"), CONTEXT)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["predictions"][0]["label"] == "benign"
    assert answer["headers"]["x-model-version"] == version
    assert answer["headers"]["x-request-id"] == "JKJaXmPLvHcESHA="
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == ["started", "serving", "request"]
    [key] = store("CAPTURES_URL").keys(MODEL)
    assert json.loads(store("CAPTURES_URL").get(key))["version"] == version
    inferred = handle("predict")(event("api_infer_jwt"), CONTEXT)
    assert json.loads(inferred["body"])["outputs"][0]["data"] == [1]
    assert handle("predict")(event("api_ready_iam"), CONTEXT)["statusCode"] == 200


def test_predict_without_a_model_is_503(store: Callable[[str], Objects]) -> None:
    assert handle("predict")(event("api_ready_iam"), CONTEXT)["statusCode"] == 503
    champion(store("MODELS_URL"))
    assert handle("predict")(event("api_ready_iam"), CONTEXT)["statusCode"] == 200


def test_jobs_does_what_it_can_and_names_what_it_could_not(store: Callable[[str], Objects]) -> None:
    champion(store("MODELS_URL"))
    store("JOBS_URL").put(f"{MODEL}/in/job-1", json.dumps({"instances": [[1, 9]]}).encode())
    answer = handle("jobs")(event("sqs_object_created"), CONTEXT)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "2e1424d4-f796-459a-8184-9c92662be6da"}]}
    result = store("JOBS_URL").get_json(f"{MODEL}/out/job-1.json")
    assert result["predictions"][0]["label"] == "benign"


def test_rollout_answers_the_workflow_and_lets_it_know_of_failures(
    store: Callable[[str], Objects], capsys: pytest.CaptureFixture[str]
) -> None:
    store("MODELS_URL").put_json(f".executions/{MODEL}/lost.json", {"run": "never written"})
    abandon = {"action": "abandon", "execution": "lost", "input": {"model": MODEL}, "cause": "a timeout"}
    assert handle("rollout")(abandon, CONTEXT) == {"run": "never written"}
    assert store("MODELS_URL").get_json(f"{MODEL}/runs/never written/run.json")["cause"] == "a timeout"
    with pytest.raises(ValueError, match="registered no version"):
        handle("rollout")({"action": "release", "model": MODEL, "run": "first"}, CONTEXT)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["level"], line.get("request")) for line in lines] == [
        ("INFO", None),
        ("INFO", "8f5b2c1e"),
        ("ERROR", "8f5b2c1e"),
    ]


def test_a_store_is_reached_by_its_own_host_name_but_at_an_emulator_by_its_path() -> None:
    assert environment.store_options({}) == {"virtual_hosted_style_request": True}
    assert environment.store_options({"AWS_ENDPOINT_URL": "https://127.0.0.1:4566"}) == {
        "virtual_hosted_style_request": False,
        "endpoint": "https://127.0.0.1:4566",
    }


def test_what_an_entry_composes_stays_from_one_call_to_the_next(store: Callable[[str], Objects]) -> None:
    champion(store("MODELS_URL"))
    services = [environment.composed(predict) for _ in range(2)]
    assert services[0] is services[1]
