"""A store that version 0.1 wrote - versions, pointers, runs - under the code of today.

`written_by_0_1` holds its objects, by store and key: a trained model with a champion, a challenger under way and a
run that is trained and not selected yet, and a finished model with a champion.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from functions.core.api.service import Service
from functions.core.http.messages import Request
from functions.core.jobs.api import JobsApi
from functions.core.onnx.tensor import Tensor
from functions.core.registry.captures import Captures
from functions.core.registry.live_pointer import Live
from functions.core.registry.runs import recipe
from functions.core.registry.versions import Corrupt, Registry
from functions.core.release.rollout import Rollout
from functions.core.runtime.log import Log
from functions.core.serving.classifier import Classifier
from functions.core.serving.model_cache import ModelCache
from functions.core.serving.predictor import Predictor
from functions.core.storage.objects import Objects
from interface.rollout import RolloutPlan
from models.section import RolloutThresholds
from tests.functions import bring_your_own
from tests.functions.bench import MODEL, Bench, contract, csv, rows
from tests.functions.serving import Clock

WRITTEN = Path(__file__).parent / "written_by_0_1"
CHAMPION, CHALLENGER, UNDER_WAY = "18ef0b38ed5a16f3", "99b7e1fa6c9eae6a", "e512008f3662d063"
FINISHED = "2a59a6b18ff8b65f"
FRUIT = [{"size": 90.0, "weight": 1.0, "colour": "red"}, {"size": 33.0, "weight": 1.0, "colour": "green"}]


@dataclass
class Upgraded:
    bench: Bench
    clock: Clock

    @property
    def models(self) -> Objects:
        return self.bench.models

    @property
    def rollout(self) -> Rollout:
        plan = RolloutPlan(steps=(10, 50), bake_seconds=60, patience=3)
        return Rollout(
            self.models, Objects.in_memory(), plan=plan, thresholds=lambda _: RolloutThresholds(), clock=self.clock
        )

    def service(self) -> Service:
        log = Log(stream=io.StringIO())
        predictors = {
            name: Predictor(
                ModelCache(
                    self.bench.registry if name == MODEL else Registry(self.models, name),
                    Live(self.models, name),
                    log,
                    seconds=5,
                    clock=self.clock,
                ),
                Captures(Objects.in_memory(), name, log, clock=self.clock),
                clock=self.clock,
            )
            for name in (MODEL, bring_your_own.MODEL)
        }
        return Service(predictors, lambda: JobsApi(Objects.in_memory(), clock=self.clock), log)


@pytest.fixture
def upgraded(tmp_path: Path) -> Upgraded:
    bench = Bench(folder=tmp_path)
    for name, store in (("models", bench.models), ("data", bench.data)):
        for file in (WRITTEN / name).rglob("*"):
            if file.is_file():
                store.put(file.relative_to(WRITTEN / name).as_posix(), file.read_bytes())
    bench.write_model()
    return Upgraded(bench, Clock(1_790_002_000.0))


def ask(service: Service, path: str, body: Any = None) -> Any:
    data = b"" if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    method = "GET" if body is None else "POST"
    request = Request(method=method, path=path, headers=headers, body=data, caller="a caller", request_id="r")
    response = service.answer(request)
    return response.status, json.loads(response.body)


def test_what_was_live_is_served(upgraded: Upgraded) -> None:
    service = upgraded.service()
    status, answer = ask(service, "/models/fruit/predict", {"instances": FRUIT})
    assert (status, answer["version"]) == (200, CHAMPION)
    assert [row["label"] for row in answer["predictions"]] == ["yes", "no"]
    rows_of_pair = {"instances": [{"a": [1.0], "b": [2.0], "text": "x"}]}
    status, answer = ask(service, f"/models/{bring_your_own.MODEL}/predict", rows_of_pair)
    assert (status, answer["version"], answer["predictions"][0]["label"]) == (200, FINISHED, "right")
    status, answer = ask(service, f"/v2/models/{MODEL}")
    assert (status, answer["versions"]) == (200, [CHAMPION, CHALLENGER])


def test_a_release_that_was_under_way_goes_on_to_its_promotion(upgraded: Upgraded) -> None:
    release = Live(upgraded.models, MODEL).read().release
    assert release is not None
    states = []
    while not states or states[-1] == "canary":
        upgraded.clock.forward(61)
        states.append(upgraded.rollout.act({"action": "judge", "model": MODEL, "run": release.run})["status"])
    assert states[-1] == "promoted"
    pointer = Live(upgraded.models, MODEL).read()
    assert (pointer.champion, pointer.previous) == (CHALLENGER, CHAMPION)
    assert Live(upgraded.models, MODEL).roll_back(0, "complaints").champion == CHAMPION


def test_a_registered_version_is_released_again(upgraded: Upgraded) -> None:
    live, clock = Live(upgraded.models, MODEL), upgraded.clock
    live.withdraw(clock(), "for the test")
    answer = upgraded.bench.prepare({"model": MODEL, "version": CHALLENGER}, "again")
    assert answer["status"] == "registered"
    release = {"action": "release", "model": MODEL, "run": answer["run"]}
    assert upgraded.rollout.act(release)["status"] == "canary"
    assert live.read().challenger == CHALLENGER


def test_a_run_that_was_trained_is_selected_and_released(upgraded: Upgraded) -> None:
    """By the same contract and code: what they were made of is told by their digests alone."""
    today = recipe(contract(), upgraded.bench.folder)
    upgraded.bench.registry.update_run(UNDER_WAY, lambda record: record | today)
    upgraded.bench.train(UNDER_WAY, "e0")
    answer = upgraded.bench.select(UNDER_WAY)
    assert answer["status"] == "registered"
    assert upgraded.bench.registry.load(answer["version"]).card["format"] == 2
    Live(upgraded.models, MODEL).withdraw(upgraded.clock(), "for the test")
    release = {"action": "release", "model": MODEL, "run": UNDER_WAY}
    assert upgraded.rollout.act(release)["status"] == "canary"


def test_a_new_dataset_is_held_against_the_old_champion_and_becomes_a_challenger(upgraded: Upgraded) -> None:
    Live(upgraded.models, MODEL).withdraw(upgraded.clock(), "for the test")
    run, answer = upgraded.bench.run_through(csv(rows(60)))
    assert answer["status"] == "registered"
    [margin] = [check for check in upgraded.bench.record(run)["checks"] if check["name"] == "margin over the champion"]
    assert margin["value"] is not None
    assert upgraded.rollout.act({"action": "release", "model": MODEL, "run": run})["status"] == "canary"
    service = upgraded.service()
    assert ask(service, f"/v2/models/{MODEL}")[1]["versions"] == [CHAMPION, answer["version"]]


def test_a_finished_model_is_not_registered_anew_by_the_schedule(upgraded: Upgraded, tmp_path: Path) -> None:
    finished = bring_your_own.Bench(folder=tmp_path, data=upgraded.bench.data, models=upgraded.models)
    finished.describe(scores=bring_your_own.SCORES, description="so that its run has another name")
    before = sorted(upgraded.models.keys(bring_your_own.MODEL))
    assert finished.look()["status"] == "unchanged"
    assert sorted(upgraded.models.keys(bring_your_own.MODEL)) == before


@pytest.mark.parametrize("name", ["model.onnx", "card.json"])
def test_what_an_old_name_covers_is_proved_by_it(name: str, upgraded: Upgraded) -> None:
    registry = upgraded.bench.registry
    version = registry.load(CHAMPION)
    if name == "card.json":
        target = {**version.card["target"], "classes": version.card["target"]["classes"][::-1]}
        upgraded.models.put_json(registry.key(CHAMPION, name), {**version.card, "target": target})
    else:
        upgraded.models.put(registry.key(CHAMPION, name), upgraded.models.get(registry.key(CHALLENGER, name)))
    with pytest.raises(Corrupt, match=name):
        registry.load(CHAMPION)
    upgraded.models.put_json(registry.key(CHAMPION, "card.json"), registry.card(CHALLENGER))
    upgraded.models.put(registry.key(CHAMPION, "model.onnx"), registry.load(CHALLENGER).onnx)
    with pytest.raises(Corrupt, match=f"its content is named {CHALLENGER}"):
        registry.load(CHAMPION)


def test_probabilities_that_rounding_left_outside_of_their_range_are_brought_into_it(
    upgraded: Upgraded, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = upgraded.bench.registry
    servable = Classifier(registry.load(CHAMPION))
    asked = {"features": Tensor.of("FP32", (2, 3), [50.0, 1.0, 1.0, 33.0, 1.0, 0.0])}
    within = servable.answer(asked)["probabilities"].values()
    outside = [1.0000001, -1.2e-07, *within[2:]]
    run = servable.session.run

    def rounded(inputs: Any, outputs: Any = None) -> Any:
        return {**run(inputs, outputs), "probabilities": Tensor.of("FP32", (2, 2), outside)}

    monkeypatch.setattr(servable._batch, "_run", rounded)
    assert servable.answer(asked)["probabilities"].values() == (1.0, 0.0, *within[2:])
