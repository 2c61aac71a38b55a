from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from functions.core.dataset.dataset import Dataset
from functions.core.registry.live_pointer import Live
from functions.core.registry.plan import Unfinished
from functions.core.registry.pointer import promote_first
from functions.core.registry.runs import Outdated
from functions.core.registry.versions import Corrupt
from functions.core.selection.candidate import Experiments, NothingTrained
from functions.core.selection.exactness import answers_of
from functions.core.selection.failures import TooManyFailed
from functions.core.serving.classifier import Classifier
from functions.core.storage.objects import Missing
from functions.core.training.class_answers import ClassAnswers
from functions.core.training.processor import processor
from models.contract import Contract
from tests.functions.bench import MODEL, TRAINING, Bench, csv, rows

BROKEN_EXPORT = TRAINING.replace('helper.make_node("Sigmoid"', 'helper.make_node("Tanh"')
WORSE = {"families": [{"ridge": [0.1], "sign": [-1]}]}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    found = Bench(folder=tmp_path)
    found.write_model()
    return found


def promote(bench: Bench, version: str) -> None:
    Live(bench.models, MODEL).change(lambda pointer: promote_first(pointer, version, "run", 0.0))


def checks(record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in record["checks"]}


def trained(bench: Bench) -> str:
    answer = bench.prepare(bench.upload(csv()))
    for experiment in answer["experiments"]:
        bench.train(answer["run"], experiment)
    return answer["run"]


def test_the_best_experiment_is_registered_whole(bench: Bench) -> None:
    run, answer = bench.run_through(csv())
    assert answer["status"] == "registered"
    folder = f"{MODEL}/versions/{answer['version']}"
    assert sorted(bench.models.keys(folder)) == [
        f"{folder}/{name}" for name in ("card.json", "golden.json", "model.onnx", "profile.json", "report.html")
    ]
    version = bench.registry.load(answer["version"])
    assert (version.card["run"], version.card["params"]["ridge"]) == (run, 0.1)
    assert version.card["metrics"]["holdout"]["roc_auc"] > 0.8
    assert len(version.golden["inputs"]) == 8
    assert Classifier(version).classes == ("no", "yes")


def test_a_card_says_what_computed_the_model_and_the_versions_name_does_not(bench: Bench) -> None:
    run, answer = bench.run_through(csv())
    card = bench.registry.load(answer["version"]).card
    assert {"numpy", "scipy", "scikit-learn", "onnx", "skl2onnx"} == set(card["libraries"])
    assert card["processor"] == processor()
    elsewhere = Bench(folder=bench.folder, data=bench.data)
    assert trained(elsewhere) == run
    for key in elsewhere.models.keys(f"{MODEL}/runs/{run}/experiments/"):
        if key.endswith(".json"):
            found = elsewhere.models.get_json(key)
            elsewhere.models.put_json(key, {**found, "processor": {"architecture": "riscv64", "kernels": {}}})
    assert elsewhere.select(run)["version"] == answer["version"]
    assert elsewhere.registry.load(answer["version"]).card["processor"]["architecture"] == "riscv64"


def test_a_run_that_an_older_release_trained_is_selected_from(bench: Bench) -> None:
    run = trained(bench)
    for key in bench.models.keys(f"{MODEL}/runs/{run}/experiments/"):
        if key.endswith(".json"):
            record = bench.models.get_json(key)
            onnx = bench.models.get(f"{key.removesuffix('.json')}/{record['sha256']}.onnx")
            bench.models.put(f"{key.removesuffix('.json')}/model.onnx", onnx)
            for later in ("processor", "answers", "threshold"):
                del record[later]
            del record["golden"]["labels"]
            bench.models.put_json(key, record)
    version = bench.select(run)["version"]
    assert bench.registry.load(version).card["processor"] is None
    assert checks(bench.record(run))["serves as trained"]["detail"] == "onnxruntime answers 8 rows as the estimator did"
    assert b"not recorded" in bench.models.get(f"{MODEL}/versions/{version}/report.html")


def test_the_runs_record_holds_every_check_with_value_and_bound(bench: Bench) -> None:
    run, answer = bench.run_through(csv())
    record = bench.record(run)
    assert (record["status"], record["version"], record["experiment"]) == ("registered", answer["version"], "e0")
    assert list(checks(record)) == [
        "serves as trained",
        "roc_auc",
        "margin over the champion",
        "colour = red",
        "bytes",
        "latency in ms",
    ]
    assert all(check["passed"] and check["bound"] is not None for check in record["checks"])
    board = bench.models.get_json(f"{MODEL}/runs/{run}/leaderboard.json")["experiments"]
    assert [line["id"] for line in board] == ["e0", "e1"]


def test_a_candidate_below_the_gate_is_refused_and_nothing_is_registered(bench: Bench) -> None:
    bench.write_model(gate={"minimum": 0.9999, "slices": []}, search=WORSE)
    run, answer = bench.run_through(csv())
    assert answer == {"model": MODEL, "run": run, "status": "refused", "version": None}
    record = bench.record(run)
    assert record["status"] == "refused"
    assert record["cause"].startswith("roc_auc is 0")
    assert "bound 0.9999" in record["cause"]
    assert not list(bench.models.keys(f"{MODEL}/versions"))
    assert b"refused: 1 checks failed" in bench.models.get(f"{MODEL}/runs/{run}/report.html")


@pytest.mark.parametrize(
    ("gate", "name"),
    [
        ({"maximum_bytes": 10}, "bytes"),
        ({"maximum_latency_ms": 1e-6}, "latency in ms"),
        ({"slices": [{"feature": "size", "minimum": 99, "at_least": 0.1}]}, "size from 99"),
    ],
)
def test_each_other_bound_refuses_by_itself(bench: Bench, gate: dict[str, Any], name: str) -> None:
    bench.write_model(gate=gate)
    run, answer = bench.run_through(csv())
    assert answer["status"] == "refused"
    assert [check["name"] for check in bench.record(run)["checks"] if not check["passed"]] == [name]


def test_a_model_that_serves_otherwise_than_it_was_trained_is_refused(bench: Bench) -> None:
    bench.write_model(BROKEN_EXPORT)
    run, answer = bench.run_through(csv())
    assert answer["status"] == "refused"
    [check] = bench.record(run)["checks"]
    assert check["name"] == "serves as trained"
    assert "of 90 rows otherwise than the estimator; row 0 (size=" in check["detail"]
    assert bench.record(run)["cause"] == f"serves as trained: {check['detail']}"
    assert [entry["experiment"] for entry in bench.record(run)["passed_over"]] == ["e1"]


def test_a_file_that_is_no_model_is_refused(bench: Bench) -> None:
    bench.write_model(TRAINING + "\n\ndef export(estimator):\n    return b'not a model'\n")
    run, answer = bench.run_through(csv())
    assert answer["status"] == "refused"
    assert "not an ONNX model" in bench.record(run)["cause"]


def test_a_candidate_worse_than_the_champion_is_refused(bench: Bench) -> None:
    _, first = bench.run_through(csv())
    promote(bench, first["version"])
    bench.write_model(gate={"minimum": 0.0, "slices": []}, search=WORSE)
    run, answer = bench.run_through(csv(rows(80)))
    assert answer["status"] == "refused"
    check = checks(bench.record(run))["margin over the champion"]
    assert (check["passed"], check["value"] < -0.5) == (False, True)


def test_a_candidate_as_good_as_the_champion_is_registered(bench: Bench) -> None:
    _, first = bench.run_through(csv())
    promote(bench, first["version"])
    run, answer = bench.run_through(csv(rows(80)))
    assert answer["status"] == "registered"
    assert answer["version"] != first["version"]
    assert checks(bench.record(run))["margin over the champion"]["value"] is not None


def test_a_champion_that_cannot_be_asked_does_not_stop_the_selection_and_is_reported(bench: Bench) -> None:
    _, first = bench.run_through(csv())
    promote(bench, first["version"])
    bench.models.put(f"{MODEL}/versions/{first['version']}/model.onnx", b"damaged")
    run, answer = bench.run_through(csv(rows(80)))
    assert answer["status"] == "registered"
    assert checks(bench.record(run))["margin over the champion"]["detail"].startswith("the champion cannot be asked")


def test_a_champion_of_another_contract_is_not_compared(bench: Bench) -> None:
    _, first = bench.run_through(csv())
    promote(bench, first["version"])
    bench.write_model(target={"classes": ["yes", "no"]})
    run, _ = bench.run_through(csv())
    assert checks(bench.record(run))["margin over the champion"]["detail"] == "the champion knows other classes"


def test_selecting_twice_gives_the_same_answer_and_writes_nothing_new(bench: Bench) -> None:
    run, answer = bench.run_through(csv())
    before = {key: bench.models.get(key) for key in bench.models.keys(MODEL)}
    assert bench.select(run) == answer
    assert {key: bench.models.get(key) for key in bench.models.keys(MODEL)} == before


def test_a_step_killed_before_its_record_registers_the_same_version(bench: Bench) -> None:
    run, answer = bench.run_through(csv())
    bench.registry.update_run(run, lambda record: {**record, "status": "training"})
    assert bench.select(run) == answer
    assert len({key.split("/")[2] for key in bench.models.keys(f"{MODEL}/versions")}) == 1


@pytest.mark.parametrize("status", ["canary", "promoted", "rolled_back"])
def test_what_a_release_has_made_of_the_run_stays(bench: Bench, status: str) -> None:
    run, answer = bench.run_through(csv())
    bench.registry.update_run(run, lambda record: {**record, "status": status})
    assert bench.select(run) == answer
    assert bench.record(run)["status"] == status


def test_a_run_that_is_through_is_answered_though_the_contract_has_changed(bench: Bench) -> None:
    run, answer = bench.run_through(csv())
    bench.write_model(gate={"minimum": 0.1})
    assert bench.select(run) == answer


def test_two_selections_at_once_leave_what_the_faster_one_went_on_to_do(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(bench)

    read = Experiments.read

    def slowly(*arguments: Any) -> Experiments:
        found = read(*arguments)
        bench.registry.update_run(run, lambda record: {**record, "status": "canary", "version": "of the faster"})
        return found

    monkeypatch.setattr(Experiments, "read", slowly)
    assert bench.select(run) == {"model": MODEL, "run": run, "status": "registered", "version": "of the faster"}
    assert bench.record(run)["status"] == "canary"


def test_some_failed_experiments_do_not_stop_the_others(bench: Bench) -> None:
    bench.write_model(search={"families": [{"ridge": [1.0], "fails": [True]}, {"ridge": [1.0]}]})
    run, answer = bench.run_through(csv())
    assert answer["status"] == "registered"
    assert bench.record(run)["experiment"] == "e1"
    report = bench.models.get(f"{MODEL}/versions/{answer['version']}/report.html").decode()
    assert "ValueError: there is no such penalty" in report
    assert "1 of 2 failed." in report
    failures = bench.record(run)["failures"]
    assert failures["said"].startswith("1 of 2 experiments failed: 1 by ValueError: there is no such penalty")
    assert failures["reasons"][0]["experiments"] == ["e0"]


def test_more_failures_than_the_contract_lets_pass_fail_the_run_with_the_reasons(bench: Bench) -> None:
    families = [{"ridge": [1.0, 2.0], "fails": [True]}, {"ridge": [1.0, 2.0]}]
    bench.write_model(search={"families": families, "maximum_failed_share": 0.4})
    with pytest.raises(
        TooManyFailed, match=r"2 of 4 experiments failed: 2 by ValueError: there is no .* lets 40% pass"
    ):
        bench.run_through(csv())
    assert not list(bench.models.keys(f"{MODEL}/versions"))
    bench.write_model(search={"families": families, "maximum_failed_share": 0.5})
    assert bench.run_through(csv())[1]["status"] == "registered"


def test_when_every_experiment_fails_the_cause_is_raised(bench: Bench) -> None:
    bench.write_model(search={"families": [{"ridge": [1.0, 2.0], "fails": [True]}]})
    with pytest.raises(
        NothingTrained, match="none of 2 experiments succeeded; e0: ValueError: there is no such penalty"
    ):
        bench.run_through(csv())


def test_a_run_with_an_experiment_outstanding_is_not_selected_from(bench: Bench) -> None:
    answer = bench.prepare(bench.upload(csv()))
    bench.train(answer["run"], "e0")
    with pytest.raises(Unfinished, match="experiment e1 left no record"):
        bench.select(answer["run"])
    assert not list(bench.models.keys(f"{MODEL}/versions"))


def test_a_model_file_that_is_not_the_recorded_one_is_not_registered(bench: Bench) -> None:
    run = trained(bench)
    record = bench.models.get_json(f"{MODEL}/runs/{run}/experiments/e0.json")
    bench.models.put(f"{MODEL}/runs/{run}/experiments/e0/{record['sha256']}.onnx", b"other")
    with pytest.raises(Corrupt, match=rf"e0/{record['sha256']}\.onnx"):
        bench.select(run)
    assert not list(bench.models.keys(f"{MODEL}/versions"))


def test_another_contract_than_the_runs_own_selects_nothing(bench: Bench) -> None:
    run = trained(bench)
    bench.write_model(gate={"minimum": 0.1})
    with pytest.raises(Outdated, match="the contract of fruit changed"):
        bench.select(run)


def test_a_run_that_is_not_there_is_missing(bench: Bench) -> None:
    with pytest.raises(Missing, match="fruit has no run 0123456789abcdef"):
        bench.select("0123456789abcdef")


def test_a_promise_is_kept_by_what_callers_get_or_the_first_row_that_breaks_it_is_told(bench: Bench) -> None:
    bench.write_model(gate={"promises": [{"feature": "size", "direction": way} for way in ("up", "down")]})
    run, answer = bench.run_through(csv())
    found = checks(bench.record(run))
    assert (found["size up"]["passed"], found["size up"]["value"]) == (True, 0)
    assert (answer["status"], found["size down"]["passed"]) == ("refused", False)
    assert found["size down"]["value"] > 10
    assert re.match(
        r"of \d+ rows with \d+ values each; the first: size from \S+ to \S+ moves the answer from 0\.\d+ to 0\.\d+,"
        r" where weight=\S+, colour=(red|green)$",
        found["size down"]["detail"],
    )


def test_a_run_tells_intervals_and_what_its_holdout_is_too_small_for(bench: Bench) -> None:
    bench.write_model(gate={"minimum": 0.85, "margin": -0.001})
    run, answer = bench.run_through(csv())
    metrics = bench.record(run)["metrics"]
    assert metrics["holdout_intervals"].keys() == metrics["holdout"].keys()
    assert bench.registry.load(answer["version"]).card["metrics"] == metrics
    assert any("too few to tell" in warning for warning in bench.record(run)["warnings"])


def test_the_decision_is_in_the_file_the_card_and_the_record_and_labels_follow_it(bench: Bench) -> None:
    bench.write_model(decision={"costs": {"false_positive": 1, "false_negative": 30}})
    run, answer = bench.run_through(csv())
    version = bench.registry.load(answer["version"])
    card = version.card
    assert card["decision"]["for"] == "the least cost, 1 for a false positive, 30 for a false negative"
    assert card["threshold"] == {"positive": 1, "value": card["decision"]["threshold"]}
    assert card["decision"]["threshold"] < 0.5 < card["decision"]["folds"]["recall"]
    dataset = Dataset.from_bytes(bench.data.get(f"{MODEL}/datasets/{bench.record(run)['dataset']}/data.npz"))
    answers = answers_of(Contract.load(MODEL, bench.folder), Classifier(version), dataset.x)
    assert isinstance(answers, ClassAnswers)
    assert answers.labels.tolist() == (answers.probabilities[:, 1] >= card["threshold"]["value"]).astype(int).tolist()
    assert (answers.labels != answers.probabilities.argmax(axis=1)).any()


def test_a_version_keeps_how_its_answers_to_the_holdout_are_spread(bench: Bench) -> None:
    _, answer = bench.run_through(csv())
    profile = bench.models.get_json(f"{MODEL}/versions/{answer['version']}/profile.json")
    dataset = Dataset.from_bytes(
        bench.data.get(f"{MODEL}/datasets/{bench.registry.load(answer['version']).card['dataset']}/data.npz")
    )
    assert profile["answers"]["of"] == "probability of yes"
    assert profile["answers"]["count"] == int(dataset.holdout.sum())
    assert 0 <= profile["answers"]["quantiles"]["0"] <= profile["answers"]["quantiles"]["1"] <= 1
    assert profile["rows"] == 90
