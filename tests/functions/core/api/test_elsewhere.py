"""Models that another function serves: this one tells of them, and opens one only when it is asked about it after all.

So it is when a model has just got a function of its own, and the API's routes lead here still.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.core.api.service import Service
from functions.core.http.messages import Request
from functions.core.jobs.api import JobsApi
from functions.core.registry.captures import Captures
from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import promote_first
from functions.core.registry.versions import Registry
from functions.core.serving.model_cache import ModelCache
from functions.core.serving.predictor import Predictor
from tests.functions.serving import BENIGN, MODEL, Bench, card_of, golden_of, model_bytes

OTHER = "scales_otherwise"


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.champion()
    reachable: Any = bench.away
    live = Live(bench.models, OTHER)
    cache = ModelCache(Registry(reachable, OTHER), Live(reachable, OTHER), bench.log, seconds=5)
    other = Predictor(cache, Captures(bench.captures, OTHER, bench.log), capture_inputs=0.0)
    predictors = {OTHER: other, MODEL: bench.predictor}
    bench.service = Service(predictors, lambda: JobsApi(bench.jobs), bench.log, elsewhere={OTHER: live})
    return bench


def ask(bench: Bench, path: str) -> tuple[int, Any]:
    response = bench.service.answer(Request(method="GET", path=path, caller="id:test", request_id="r-1"))
    return response.status, json.loads(response.body)


def release(bench: Bench) -> None:
    # No bytes of this version are there: whoever tells that it is live must not have opened it.
    Live(bench.models, OTHER).change(lambda pointer: promote_first(pointer, "0" * 16, "first", 0.0))


def test_the_server_is_ready_only_when_models_elsewhere_are_live_too(bench: Bench) -> None:
    status, told = ask(bench, "/v2/health/ready")
    assert (status, OTHER in told["error"]) == (503, True)
    release(bench)
    assert ask(bench, "/v2/health/ready") == (200, {"ready": True})


def test_the_description_names_every_model_and_lets_rows_of_those_elsewhere_be_any(bench: Bench) -> None:
    release(bench)
    status, document = ask(bench, "/openapi.json")
    assert status == 200
    [model, *_] = document["paths"]["/v2/models/{model}/infer"]["post"]["parameters"]
    assert set(model["schema"]["enum"]) == {MODEL, OTHER}
    rows = {
        model: document["components"]["schemas"][f"{model}.predict_request"]["properties"]["instances"]["items"]
        for model in (MODEL, OTHER)
    }
    assert rows[OTHER] == {}
    assert rows[MODEL] != {}


def test_a_model_of_no_function_is_not_found(bench: Bench) -> None:
    status, told = ask(bench, "/v2/models/nobody/ready")
    assert status == 404
    assert f"{OTHER}, {MODEL}" in told["error"]


def test_models_are_listed_with_what_is_live_wherever_they_are_served(bench: Bench) -> None:
    here = {"name": MODEL, "version": bench.live.read().champion, "ready": True}
    nothing = {"name": OTHER, "version": None, "ready": False}
    assert ask(bench, "/v2/models") == (200, {"models": [nothing, here]})
    release(bench)
    there = {"name": OTHER, "version": "0" * 16, "ready": True}
    assert ask(bench, "/v2/models") == (200, {"models": [there, here]})
    bench.models.put(f"{OTHER}/live.json", b"garbage")
    assert ask(bench, "/v2/models") == (200, {"models": [nothing, here]})


def test_where_there_are_several_models_none_is_asked_without_its_name(bench: Bench) -> None:
    body = json.dumps({"instances": [BENIGN]}).encode()
    request = Request(method="POST", path="/predict", body=body, caller="id:test", request_id="r-1")
    response = bench.service.answer(request)
    assert response.status == 404
    assert f"POST /models/{OTHER}/predict, POST /models/{MODEL}/predict" in response.body.decode()
    _, document = ask(bench, "/openapi.json")
    assert "/predict" not in document["paths"]


def test_a_request_that_still_comes_here_is_answered_and_nothing_is_opened_before(bench: Bench) -> None:
    path = f"/models/{OTHER}/predict"
    version = Registry(bench.models, OTHER).register(model_bytes(), card_of(), golden_of(model_bytes()), {})
    Live(bench.models, OTHER).change(lambda pointer: promote_first(pointer, version, "first", 0.0))
    opened: list[str] = []
    bench.away.broken = lambda _, key: opened.append(key)
    bench.service.warm()
    ask(bench, "/openapi.json")
    assert not [key for key in opened if key.startswith(f"{OTHER}/versions/")]
    body = json.dumps({"instances": [BENIGN]}).encode()
    response = bench.service.answer(Request(method="POST", path=path, body=body, caller="id:test", request_id="r-1"))
    assert (response.status, response.headers["x-model"]) == (200, OTHER)
    assert [key for key in opened if key.startswith(f"{OTHER}/versions/")]
