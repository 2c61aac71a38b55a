from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from functions.core.registry.runs import Outdated
from functions.core.storage.objects import Missing, Objects
from functions.core.training.train import UnknownExperiment
from tests.functions.bench import MODEL, TRAINING, Bench, csv


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(folder=tmp_path)
    bench.write_model(search={"families": [{"ridge": [1.0]}, {"ridge": [1.0], "fails": [True]}]})
    return bench


def experiment(bench: Bench, run: str, name: str = "e0") -> dict[str, object]:
    return bench.models.get_json(f"{MODEL}/runs/{run}/experiments/{name}.json")


def file_of(bench: Bench, run: str) -> bytes:
    return bench.models.get(f"{MODEL}/runs/{run}/experiments/e0/{experiment(bench, run)['sha256']}.onnx")


def test_an_experiment_is_recorded_with_its_metrics_and_its_model(bench: Bench) -> None:
    run = bench.prepare(bench.upload(csv()))["run"]
    assert bench.train(run, "e0") == {"experiment": "e0"}
    record = experiment(bench, run)
    assert (record["status"], record["params"]) == ("succeeded", {"ridge": 1.0})
    assert set(record) >= {"metrics", "seconds", "sha256", "bytes", "libraries", "processor", "golden", "warnings"}
    assert len(file_of(bench, run)) == record["bytes"]


def test_an_experiment_that_is_recorded_is_not_run_again(bench: Bench) -> None:
    run = bench.prepare(bench.upload(csv()))["run"]
    bench.train(run, "e0")
    before = experiment(bench, run)
    bench.write_model(TRAINING.replace("def fit(", "raise RuntimeError('run again')\ndef fit("))
    assert bench.train(run, "e0") == {"experiment": "e0"}
    assert experiment(bench, run) == before


def test_a_worker_that_died_after_the_model_and_before_the_record_leaves_no_trace(bench: Bench) -> None:
    run = bench.prepare(bench.upload(csv()))["run"]
    bench.train(run, "e0")
    onnx, digest = file_of(bench, run), experiment(bench, run)["sha256"]
    other = Bench(folder=bench.folder)
    assert other.prepare(other.upload(csv()))["run"] == run
    other.models.put(f"{MODEL}/runs/{run}/experiments/e0/{digest}.onnx", onnx[:100])
    other.train(run, "e0")
    assert file_of(other, run) == onnx
    assert experiment(other, run)["sha256"] == digest


class Late(Objects):
    """A store whose user is held up before it writes a model: meanwhile the other delivery does all of its work."""

    def __init__(self, store: Objects, meanwhile: Callable[[], object]) -> None:
        super().__init__(store._store)
        self._meanwhile = [meanwhile]

    def put(self, key: str, data: Any) -> None:
        while self._meanwhile and key.endswith(".onnx"):
            self._meanwhile.pop()()
        super().put(key, data)


def test_a_delivery_that_ends_late_leaves_the_files_of_the_record_as_they_are(bench: Bench) -> None:
    """As a `fit` without a seed: each delivery makes another model of the same rows."""
    unseeded = TRAINING.replace('params["ridge"]', "np.random.default_rng().uniform(0.5, 2.0)")
    bench.write_model(unseeded, search={"families": [{"ridge": [1.0]}]})
    run = bench.prepare(bench.upload(csv()))["run"]
    late = Bench(folder=bench.folder, data=bench.data, models=Late(bench.models, lambda: bench.train(run, "e0")))
    late.train(run, "e0")
    assert len([key for key in bench.models.keys(f"{MODEL}/runs/{run}/experiments/e0") if key.endswith(".onnx")]) == 2
    assert hashlib.sha256(file_of(bench, run)).hexdigest() == experiment(bench, run)["sha256"]
    assert bench.select(run)["status"] == "registered"


def test_an_experiment_whose_files_are_gone_is_run_anew_when_the_run_is_started_again(bench: Bench) -> None:
    """As a release before this one left them, when two deliveries ended at once."""
    run = bench.prepare(bench.upload(csv()), "first")["run"]
    bench.train(run, "e0")
    onnx, digest = file_of(bench, run), experiment(bench, run)["sha256"]
    bench.models.put(f"{MODEL}/runs/{run}/experiments/e0/{digest}.onnx", b"another's")
    bench.train(run, "e0")
    assert file_of(bench, run) == b"another's"
    assert bench.prepare(bench.upload(csv()), "second")["run"] == run
    bench.train(run, "e0")
    assert file_of(bench, run) == onnx


def test_a_failed_experiment_is_tried_again_when_the_run_is_started_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = TRAINING.replace("def fit(X, y, params):", "def fit(X, y, params):\n    import wanting")
    bench.write_model(absent, search={"families": [{"ridge": [1.0]}]})
    run = bench.prepare(bench.upload(csv()), "first")["run"]
    bench.train(run, "e0")
    assert str(experiment(bench, run)["error"]).startswith("ModuleNotFoundError: No module named 'wanting'")
    monkeypatch.setitem(sys.modules, "wanting", ModuleType("wanting"))
    bench.train(run, "e0")
    assert experiment(bench, run)["status"] == "failed", "delivered again it is the same experiment"
    assert bench.prepare(bench.upload(csv()), "second")["run"] == run
    bench.train(run, "e0")
    assert experiment(bench, run)["status"] == "succeeded"


def test_an_experiment_delivered_several_times_at_once_has_one_record(bench: Bench) -> None:
    run = bench.prepare(bench.upload(csv()))["run"]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: bench.train(run, "e0"), range(4)))
    assert results == [{"experiment": "e0"}] * 4
    assert experiment(bench, run)["status"] == "succeeded"


def test_a_fit_that_fails_is_a_result_with_its_message(bench: Bench) -> None:
    run = bench.prepare(bench.upload(csv()))["run"]
    assert bench.train(run, "e1") == {"experiment": "e1"}
    record = experiment(bench, run, "e1")
    assert record["status"] == "failed"
    error = str(record["error"])
    assert re.fullmatch(
        r"ValueError: there is no such penalty \(training\.py:\d+, in fit: raise ValueError\(.*\)\)", error
    )
    assert record["trace"] == [error.split(" (", 1)[1][:-1]]
    line = json.loads(bench.log.getvalue())
    assert "training.py" in line["trace"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("def fit(:", "SyntaxError"),
        ("import nowhere", "ModuleNotFoundError"),
        ("", "UnusableEstimator: training.py has"),
        ("import sys\nsys.exit('no licence')", "SystemExit: no licence (training.py:2"),
    ],
)
def test_a_training_that_cannot_be_imported_is_a_result_too(bench: Bench, text: str, error: str) -> None:
    bench.write_model(text)
    run = bench.prepare(bench.upload(csv()))["run"]
    bench.train(run, "e0")
    assert str(experiment(bench, run)["error"]).startswith(error)


def test_trouble_with_the_stores_is_raised_so_that_it_is_tried_again(bench: Bench) -> None:
    answer = bench.prepare(bench.upload(csv()))
    elsewhere = Bench(folder=bench.folder, models=bench.models)
    with pytest.raises(Missing, match=r"data\.npz"):
        elsewhere.train(answer["run"], "e0")
    assert bench.models.find(f"{MODEL}/runs/{answer['run']}/experiments/e0.json") is None


def test_a_run_begun_with_another_training_is_not_mixed_with_this_one(bench: Bench) -> None:
    run = bench.prepare(bench.upload(csv()))["run"]
    bench.write_model(TRAINING + "\n", search={"families": [{"ridge": [1.0]}, {"ridge": [1.0], "fails": [True]}]})
    with pytest.raises(Outdated, match="the code of fruit changed after the run began"):
        bench.train(run, "e0")


@pytest.mark.parametrize("name", ["e2", "../e0", ""])
def test_an_experiment_that_is_not_planned_is_not_run(bench: Bench, name: str) -> None:
    run = bench.prepare(bench.upload(csv()))["run"]
    with pytest.raises(UnknownExperiment):
        bench.train(run, name)
    with pytest.raises(UnknownExperiment):
        bench.train("0123456789abcdef", "e0")


def test_a_function_that_no_longer_trains_a_model_says_that_the_run_is_outdated(bench: Bench) -> None:
    """The execution began before the model got packages of its own: its workflow calls the function of before."""
    run = bench.prepare(bench.upload(csv()))["run"]
    (bench.folder / MODEL).rename(bench.folder / "elsewhere")
    with pytest.raises(Outdated, match=f"who trains {MODEL} changed after the run began; start the workflow again"):
        bench.train(run, "e0")


def test_a_package_that_is_not_there_is_told_with_the_file_that_names_packages(bench: Bench) -> None:
    bench.write_model("import a_package_of_nobody\n\n\ndef fit(X, y, params): ...\n")
    run = bench.prepare(bench.upload(csv()))["run"]
    bench.train(run, "e0")
    assert experiment(bench, run)["error"] == (
        "ModuleNotFoundError: No module named 'a_package_of_nobody' (training.py:1, in <module>: import"
        f" a_package_of_nobody); models/{MODEL}/requirements.in names the packages that its training has, and"
        f" `sml lock {MODEL}` locks them"
    )


def test_a_problem_that_cannot_say_what_it_is_is_told_by_its_name_and_line(bench: Bench) -> None:
    odd = "class Odd(Exception):\n    def __str__(self):\n        raise RuntimeError\n"
    bench.write_model(f"{odd}def fit(X, y, params):\n    raise Odd\n")
    run = bench.prepare(bench.upload(csv()))["run"]
    bench.train(run, "e0")
    told = experiment(bench, run)["error"]
    assert told == "Odd: its text cannot be told, for a RuntimeError (training.py:5, in fit: raise Odd)"
