"""The functions from their event to their answer, over a store in a folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions.adapters.aws import jobs, predict, rollout
from functions.adapters.aws.environment import Environment
from functions.adapters.aws.step import LARGEST_ANSWER, run_step
from functions.core.live import Live
from functions.core.log import Log
from functions.core.objects import Objects, open_store
from functions.core.pointer import promote_first
from functions.core.registry import Registry
from tests.functions.serving import MODEL, card_of, event, golden_of, model_bytes

CONTEXT = SimpleNamespace(aws_request_id="8f5b2c1e")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Objects]]:
    def url(name: str) -> str:
        return f"file://{tmp_path}/{name}"

    variables = {name: url(name) for name in ("MODELS_URL", "JOBS_URL", "CAPTURES_URL")}
    variables |= {"MODELS": MODEL, "POINTER_SECONDS": "5", "CAPTURE_INPUTS": "0.0", "LOG_LEVEL": "INFO"}
    variables |= {"ROLLOUT": '{"steps": [10, 50], "bake_seconds": 2, "patience": 3}'}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    caches = (predict._service, jobs._worker, rollout._rollout)
    for cache in caches:
        cache.cache_clear()
    yield lambda name: open_store(url(name))
    for cache in caches:
        cache.cache_clear()


def champion(models: Objects) -> str:
    onnx = model_bytes()
    version = Registry(models, MODEL).register(onnx, card_of(), golden_of(onnx), {})
    Live(models, MODEL).change(lambda pointer: promote_first(pointer, version, "first", 0.0))
    return version


def test_predict_answers_the_gateways_event(
    store: Callable[[str], Objects], capsys: pytest.CaptureFixture[str]
) -> None:
    version = champion(store("MODELS_URL"))
    answer = predict.handle(event("api_predict"), CONTEXT)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["predictions"][0]["label"] == "benign"
    assert answer["headers"]["x-model-version"] == version
    assert answer["headers"]["x-request-id"] == "JKJaXmPLvHcESHA="
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == ["serving", "request"]
    [key] = store("CAPTURES_URL").keys(MODEL)
    assert json.loads(store("CAPTURES_URL").get(key))["version"] == version
    inferred = predict.handle(event("api_infer_jwt"), CONTEXT)
    assert json.loads(inferred["body"])["outputs"][0]["data"] == [1]
    assert predict.handle(event("api_ready_iam"), CONTEXT)["statusCode"] == 200


def test_predict_without_a_model_is_503(store: Callable[[str], Objects]) -> None:
    assert predict.handle(event("api_ready_iam"), CONTEXT)["statusCode"] == 503
    champion(store("MODELS_URL"))
    assert predict.handle(event("api_ready_iam"), CONTEXT)["statusCode"] == 200


def test_jobs_does_what_it_can_and_names_what_it_could_not(store: Callable[[str], Objects]) -> None:
    champion(store("MODELS_URL"))
    store("JOBS_URL").put(f"{MODEL}/in/job-1", json.dumps({"instances": [[1, 9]]}).encode())
    answer = jobs.handle(event("sqs_object_created"), CONTEXT)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "2e1424d4-f796-459a-8184-9c92662be6da"}]}
    result = store("JOBS_URL").get_json(f"{MODEL}/out/job-1.json")
    assert result["predictions"][0]["label"] == "benign"


def test_rollout_answers_the_workflow_and_lets_it_know_of_failures(
    store: Callable[[str], Objects], capsys: pytest.CaptureFixture[str]
) -> None:
    store("MODELS_URL").put_json(f"{MODEL}/executions/lost.json", {"run": "never written"})
    abandon = {"action": "abandon", "execution": "lost", "input": {"model": MODEL}, "cause": "a timeout"}
    assert rollout.handle(abandon, CONTEXT) == {"run": "never written"}
    assert store("MODELS_URL").get_json(f"{MODEL}/runs/never written/run.json")["cause"] == "a timeout"
    with pytest.raises(ValueError, match="registered no version"):
        rollout.handle({"action": "release", "model": MODEL, "run": "first"}, CONTEXT)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["level"], line["request"]) for line in lines] == [("INFO", "8f5b2c1e"), ("ERROR", "8f5b2c1e")]


def test_a_step_answers_with_plain_json_and_logs_it(capsys: pytest.CaptureFixture[str]) -> None:
    log = Log()
    assert run_step("train", lambda payload: {"got": payload["a"]}, {"a": 1}, CONTEXT, log) == {"got": 1}
    line = json.loads(capsys.readouterr().out)
    assert (line["event"], line["step"], line["answer"]) == ("step", "train", {"got": 1})


@pytest.mark.parametrize(
    ("answer", "problem"),
    [({"big": "x" * LARGEST_ANSWER}, "travel between steps"), ({"nan": float("nan")}, "JSON compliant")],
)
def test_an_answer_that_no_workflow_could_carry_is_a_failure_here(
    answer: dict[str, Any], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match=problem):
        run_step("train", lambda _: answer, {}, CONTEXT, Log())
    assert json.loads(capsys.readouterr().out)["level"] == "ERROR"


@pytest.mark.parametrize("payload", [None, [], "x"])
def test_a_payload_that_is_no_object_is_a_failure(payload: object) -> None:
    with pytest.raises(TypeError, match="JSON object"):
        run_step("train", lambda _: {}, payload, CONTEXT, Log(level="ERROR"))


def test_a_variable_that_is_not_set_is_named() -> None:
    with pytest.raises(KeyError, match="MODELS_URL"):
        Environment({}).store("MODELS_URL")


def test_variables_are_read_by_their_kind() -> None:
    told = Environment({"MODELS": "a, b,", "SHARE": "0.5"})
    assert told.names("MODELS") == ("a", "b")
    assert told.number("SHARE") == 0.5


def test_a_log_says_only_what_its_level_lets_through(capsys: pytest.CaptureFixture[str]) -> None:
    log = Environment({"LOG_LEVEL": "WARNING"}).log()
    log.info("quiet")
    log.warning("loud", path=Path("a"))
    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line) | {"time": 0} == {"time": 0, "level": "WARNING", "event": "loud", "path": "a"}
    with pytest.raises(ValueError, match="accepted: DEBUG, INFO"):
        Log(level="LOUD")
