"""Models that another function serves: this one tells that they are there and whether they are live, and no more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.core.api.service import Service
from functions.core.http.messages import Request
from functions.core.jobs.api import JobsApi
from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import promote_first
from tests.functions.serving import MODEL, Bench

OTHER = "scales_otherwise"


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.champion()
    elsewhere = {OTHER: Live(bench.models, OTHER)}
    bench.service = Service({MODEL: bench.predictor}, lambda: JobsApi(bench.jobs), bench.log, elsewhere=elsewhere)
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
    assert {f"/v2/models/{model}/infer" for model in (MODEL, OTHER)} <= set(document["paths"])
    rows = {
        model: document["components"]["schemas"][f"{model}.predict_request"]["properties"]["instances"]["items"]
        for model in (MODEL, OTHER)
    }
    assert rows[OTHER] == {}
    assert rows[MODEL] != {}


@pytest.mark.parametrize("model", [OTHER, "nobody"])
def test_a_model_that_is_not_served_here_is_not_found(bench: Bench, model: str) -> None:
    status, told = ask(bench, f"/v2/models/{model}/ready")
    assert status == 404
    assert f"{MODEL}, {OTHER}" in told["error"]
