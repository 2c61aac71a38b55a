"""A value can be followed: how many files a reader opens on the way of a prediction, and on that of a dataset."""

from __future__ import annotations

from pathlib import Path

import pytest

from functions.adapters.aws import environment
from functions.core.release.rollout import Rollout
from functions.core.storage.objects import Objects
from interface.rollout import RolloutPlan
from models.section import RolloutThresholds
from tests.functions import bench as training
from tests.functions.entered import entered
from tests.functions.mains import handle
from tests.functions.serving import Bench, event

MOST_FOR_A_PREDICTION = 18
MOST_FOR_A_DATASET = 99
PREDICT = handle("predict")
STORE = "functions/core/storage/objects.py"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A model behind the adapter of Lambda, warm: it has answered before, in the second that its clock shows."""
    bench = Bench()
    bench.champion()
    monkeypatch.setattr(environment, "_composed", lambda _: (bench.service, None))
    ask()
    return bench


def ask() -> int:
    return PREDICT(event("api_predict"), None)["statusCode"]


def test_a_warm_prediction_enters_at_most_15_files(bench: Bench) -> None:
    with entered() as way:
        status = ask()
    print(way)
    assert (status, "functions/core/serving/classifier.py" in way.files) == (200, True)
    assert len(way.files) <= MOST_FOR_A_PREDICTION, str(way)


def test_the_first_prediction_of_a_second_writes_captures_too_and_enters_the_store(bench: Bench) -> None:
    bench.clock.forward(2)
    with entered() as way:
        ask()
    assert STORE in way.files
    assert len(way.files) <= MOST_FOR_A_PREDICTION, str(way)


def test_a_dataset_until_the_promotion_of_its_version_enters_no_more_files_than_it_did(tmp_path: Path) -> None:
    """Whoever adds a file to this way has a reason to raise the number."""
    until_promotion(tmp_path / "before")  # whatever is imported late is there now
    with entered() as way:
        until_promotion(tmp_path / "counted")
    print(way)
    assert len(way.files) <= MOST_FOR_A_DATASET, str(way)


def until_promotion(folder: Path) -> None:
    """Prepare, train, select and release the first version of a model, in stores in memory."""
    folder.mkdir()
    bench = training.Bench(folder=folder)
    bench.write_model()
    run, answer = bench.run_through(training.csv())
    assert answer["status"] == "registered"
    plan = RolloutPlan(steps=(10,), bake_seconds=60, patience=3)
    rollout = Rollout(bench.models, Objects.in_memory(), plan=plan, thresholds=lambda _: RolloutThresholds())
    assert rollout.act({"action": "release", "model": training.MODEL, "run": run})["status"] == "promoted"
