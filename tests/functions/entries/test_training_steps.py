"""The three training steps as Lambda calls them: an event in, a small JSON answer out."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from functions.adapters.aws import environment
from functions.core.onnx.tensor import Tensor
from functions.core.registry.versions import Registry
from functions.core.serving.classifier import Classifier
from functions.core.storage.objects import Objects
from infra.processor import arithmetic, here
from models.breast_cancer.sample import instances, write_csv
from models.contract import Contract
from models.section import FOLDER
from tests.functions.mains import handle

pytestmark = pytest.mark.integration


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Objects]]:
    opened = {"s3://data": Objects.in_memory(), "s3://models": Objects.in_memory()}
    monkeypatch.setattr("functions.core.runtime.environment.open_store", lambda url, **_: opened[url])
    monkeypatch.setenv("DATA_URL", "s3://data")
    monkeypatch.setenv("MODELS_URL", "s3://models")
    monkeypatch.setenv("TIMEOUT_SECONDS", "840")
    monkeypatch.setenv("MEMORY_MB", "3008")
    environment._composed.cache_clear()
    yield opened
    environment._composed.cache_clear()


def test_a_bad_file_is_answered_and_logged_in_one_line(
    stores: dict[str, Objects], capsys: pytest.CaptureFixture[str]
) -> None:
    stores["s3://data"].put("breast_cancer/incoming/x.csv", b"")
    event = {"input": {"source": "breast_cancer/incoming/x.csv"}, "execution": "one"}
    answer = handle("prepare")(event, None)
    assert json.loads(json.dumps(answer)) == answer
    assert answer["status"] == "rejected"
    # The first call of a copy has said that it started.
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (line["step"], line["answer"]["status"]) == ("prepare", "rejected")
    assert stores["s3://models"].get_json(".executions/breast_cancer/one.json")["run"] == answer["run"]


@pytest.mark.parametrize("step", ["prepare", "train", "select"])
def test_a_payload_that_is_no_object_is_refused(step: str, stores: dict[str, Objects]) -> None:
    with pytest.raises(TypeError, match="the payload is not a JSON object"):
        handle(step)(["breast_cancer"], None)


def test_the_default_model_goes_from_upload_to_a_registered_version(
    stores: dict[str, Objects], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real data, real search, scikit-learn and its converter: every experiment as the workflow would run it.

    The gate's clock stands still: how busy this machine is decides nothing.
    """
    monkeypatch.setattr("functions.core.selection.gate.time", SimpleNamespace(perf_counter=lambda: 0.0))
    write_csv(tmp_path / "wdbc.csv")
    stores["s3://data"].put("breast_cancer/incoming/wdbc.csv", (tmp_path / "wdbc.csv").read_bytes())
    prepared = handle("prepare")({"input": {"model": "breast_cancer"}, "execution": "one"}, None)
    assert prepared["status"] == "accepted"
    run = {"model": prepared["model"], "run": prepared["run"]}
    for experiment in prepared["experiments"]:
        assert handle("train")({**run, "experiment": experiment}, None) == {"experiment": experiment}
    answer = handle("select")(run, None)
    assert answer["status"] == "registered"

    models = stores["s3://models"]
    board = models.get_json(f"breast_cancer/runs/{run['run']}/leaderboard.json")["experiments"]
    assert len(board) >= 8
    assert all(line["status"] == "succeeded" for line in board)
    assert {line["params"]["family"] for line in board} == {"logistic", "boosting"}
    assert board[0]["mean"] >= 0.98

    version = Registry(models, "breast_cancer").load(answer["version"])
    cases, labels = instances()
    contract = Contract.load("breast_cancer")
    rows = [[feature.encode(case[feature.name]) for feature in contract.features] for case in cases]
    classifier = Classifier(version)
    tensor = Tensor.of("FP32", (len(rows), len(contract.features)), [value for row in rows for value in row])
    predicted = classifier.labels(classifier.answer({classifier.input: tensor}))
    assert np.mean([label == expected for label, expected in zip(predicted, labels, strict=True)]) > 0.95


PROGRAM = """
import hashlib
import numpy as np
from functions.core.training.export import to_onnx
from models.breast_cancer.training import fit
x = np.random.default_rng(0).normal(size=(60, 30)).astype(np.float32)
y = (x[:, 0] > 0).astype(np.int64)
for params in ({"family": "logistic", "C": 0.1}, {"family": "boosting", "n_estimators": 5}):
    print(hashlib.sha256(to_onnx(fit(x, y, params), 30)).hexdigest())
"""


def test_an_estimator_becomes_the_same_bytes_in_every_process(capsys: pytest.CaptureFixture[str]) -> None:
    """Names in a converted graph must not follow the hash seed or the clock: a version is named by its bytes."""
    exec(compile(PROGRAM, "program", "exec"), {})  # noqa: S102 - our own text, here and in the other process
    first = capsys.readouterr().out
    second = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONHASHSEED": "4711", "PYTHONPATH": str(FOLDER.parent), **arithmetic(here())},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert first == second
    assert len(set(first.split())) == 2
