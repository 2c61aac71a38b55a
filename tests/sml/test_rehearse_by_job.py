"""A rehearsal by a job: the stack's workers answer what callers asked, and nothing of the job is left."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from functions.core.jobs.api import JobsApi
from functions.core.registry.pointer import promote_first
from functions.core.serving.redaction import Redaction
from functions.core.training.choice import task_of
from models.bring_your_own import BringYourOwn
from models.contract import Contract
from sml import candidate_job
from tests.functions.bring_your_own import SCORES, pair
from tests.functions.core.serving.test_onnx_model import register
from tests.functions.jobbing import Mortal, Queue
from tests.functions.serving import BENIGN, FEATURES, MALIGNANT, MODEL, POISON, model_bytes
from tests.sml.staged import Staged
from tests.sml.test_rehearse_truths import CONTRACT, CONTRARY, Stack, nobody

ALIKE, WRONG = model_bytes(slope=2.0), model_bytes(slope=-1.0)


class Workers:
    """The workers of a stack's jobs, who work while somebody waits."""

    def __init__(self, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store = Mortal(stack.bench.jobs)
        stack.staged.stores["s3://jobs-1"] = self.store  # ty: ignore[invalid-assignment]
        self.queue = Queue(stack.bench, self.store)
        self.does: Callable[[], object] = self.queue.run
        monkeypatch.setattr(candidate_job, "sleep", lambda _: self.does())

    def left(self) -> list[str]:
        return sorted(self.store.objects.keys(""))


@pytest.fixture
def stack(staged: Staged, monkeypatch: pytest.MonkeyPatch) -> Stack:
    return Stack(staged, monkeypatch)


@pytest.fixture
def workers(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Workers:
    return Workers(stack, monkeypatch)


def rehearsed(stack: Stack, version: str, *more: str) -> dict[str, Any]:
    said = stack.staged.sml("rehearse", f"{MODEL}@{version[:8]}", *more, "--json")
    assert said.out, said.err
    return json.loads(said.out)


def test_a_job_answers_as_this_machine_does_and_leaves_nothing(stack: Stack, workers: Workers) -> None:
    stack.bench.champion()
    stack.ask(130, lambda _: CONTRARY)
    version = stack.bench.register(WRONG)
    by_job, here = rehearsed(stack, version, "--by-job"), rehearsed(stack, version)
    assert by_job["by_job"].startswith("job-")
    assert here["by_job"] is None
    for name in ("answered_then", "rows", "differing_rows", "decision", "passed_over", "truths"):
        assert by_job[name] == here[name], name
    assert by_job["metrics"]["agreement"] == here["metrics"]["agreement"] == 0
    assert by_job["metrics"]["challenger_ms"] is None
    assert list(by_job["weighing"]["questions"]) == ["errors", "agreement", "truth"]
    assert workers.left() == []


def test_progress_is_told_and_the_rows_that_differ_are_written_down(
    stack: Stack, workers: Workers, tmp_path: Any
) -> None:
    stack.contract = CONTRACT
    stack.bench.champion()
    stack.ask(30, nobody)
    version, file = stack.bench.register(WRONG), tmp_path / "rows.jsonl"
    said = stack.staged.sml("rehearse", f"{MODEL}@{version}", "--by-job", "--differing", str(file))
    assert said.code == 1
    assert "30 requests, 60 rows, are asked again by job job-" in said.err
    assert "queued, 0 of 60 rows" in said.err
    assert said.out.startswith(f"{MODEL} @ {version[:6]}, asked by a job what callers asked from ")
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert (len(rows), rows[1]["inputs"], rows[1]["row"]) == (60, MALIGNANT, 1)
    assert (rows[1]["champion"]["label"], rows[1]["candidate"]["label"]) == ("malignant", "benign")
    assert sum(rows[1]["champion"]["probabilities"].values()) == pytest.approx(1)


def test_a_row_that_is_refused_or_failed_on_is_an_error_of_its_request(stack: Stack, workers: Workers) -> None:
    stack.contract = CONTRACT
    stack.bench.champion()
    stack.ask(10, nobody)
    for number in range(20):
        stack.bench.clock.forward(1)
        stack.bench.predict(BENIGN, POISON, caller=f"p{number}")
    stack.bench.clock.forward(2)
    stack.bench.predict(BENIGN, caller="last")
    narrow = [{"name": "mean_radius", "maximum": 100.0}, FEATURES[1]]
    for version in (stack.bench.register(model_bytes(fails=True)), stack.bench.register(ALIKE, narrow)):
        found = rehearsed(stack, version, "--by-job")
        assert (found["metrics"]["errors"], found["metrics"]["requests"]) == (20, 31)
    assert workers.left() == []


def test_categories_and_missing_values_go_as_callers_wrote_them(stack: Stack, workers: Workers) -> None:
    colour = {"name": "colour", "kind": "category", "categories": ["red", "blue"], "missing": "red"}
    features = [FEATURES[0], colour]
    stack.contract = {**CONTRACT, "features": features}
    stack.bench.champion(model_bytes(), features)
    for number, row in enumerate([{"mean_radius": 0.1, "colour": "blue"}, {"mean_radius": 3.25}] * 15):
        stack.bench.clock.forward(1)
        assert stack.bench.predict(row, caller=f"c{number}").status == 200
    found = rehearsed(stack, stack.bench.register(model_bytes(slope=3.0), features), "--by-job")
    assert (found["rows"], found["metrics"]["agreement"], found["metrics"]["errors"]) == (30, 1.0, 0)


def test_a_finished_model_with_classes_is_asked_by_a_job(
    stack: Stack, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = BringYourOwn.parse({"name": MODEL, "task": "finished", "scores": SCORES}, "model.yaml")
    monkeypatch.setattr("sml.rehearsal.load", lambda _: contract)
    name = register(stack.bench, pair(), scores=SCORES)
    stack.bench.live.change(lambda pointer: promote_first(pointer, name, "first", stack.bench.clock()))
    for number in range(20):
        stack.bench.clock.forward(1)
        rows = {"a": [3], "b": [1], "text": "x"}, {"a": [1], "b": [2.5], "text": "y"}
        assert stack.bench.predict(*rows, caller=f"c{number}").status == 200
    same = rehearsed(stack, register(stack.bench, pair(producer="another"), scores=SCORES), "--by-job")
    assert (same["rows"], same["metrics"]["agreement"]) == (40, 1.0)
    other = rehearsed(stack, register(stack.bench, pair("Add"), scores=SCORES), "--by-job")
    assert (other["metrics"]["agreement"], other["differing_rows"]) == (0.5, 20)


PRICE: dict[str, Any] = {
    **CONTRACT,
    "task": "regression",
    "target": {"name": "price"},
    "search": {"families": [{"C": [1.0]}], "metric": "mae"},
    "gate": {"metric": "mae", "maximum": 9.0},
    "labels": {"horizon_minutes": 1},
}


def priced(stack: Stack, slope: float) -> str:
    """Register a version whose number is so many times the radius, with an interval of 1 to either side."""
    weights = np.array([[slope, slope, slope], [0.0, 0.0, 0.0]], dtype=np.float32)
    constants = {"weights": weights, "ends": np.array([0.0, -1.0, 1.0], dtype=np.float32)}
    nodes = [
        helper.make_node("MatMul", ["X", "weights"], ["raw"]),
        helper.make_node("Add", ["raw", "ends"], ["all"]),
        helper.make_node("Split", ["all"], ["value", "low", "high"], axis=1, num_outputs=3),
    ]
    graph = helper.make_graph(
        nodes,
        "price",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["rows", 2])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", 1]) for name in ("value", "low", "high")],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    onnx = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8).SerializeToString()
    card = {
        "features": FEATURES,
        "target": task_of(Contract.parse(PRICE, "model.yaml")).card()["target"],
        "input": "X",
        "outputs": {name: name for name in ("value", "low", "high")},
        "task": "regression",
        "metrics": {"holdout": {"mae": 2.0}},
        "interval": {"coverage": 0.9},
    }
    inputs = [[1.0, 9.0], [9.0, 1.0]]
    numbers = {"values": [slope, 9 * slope], "low": [slope - 1, 9 * slope - 1], "high": [slope + 1, 9 * slope + 1]}
    return stack.bench.registry.register(
        onnx, card, {"inputs": inputs, **numbers, "tolerance": 1e-4, "spread": 1.0}, {}
    )


def test_numbers_and_their_intervals_are_asked_by_a_job_and_measured_by_truths(stack: Stack, workers: Workers) -> None:
    stack.contract = PRICE
    name = priced(stack, 1.0)
    stack.bench.live.change(lambda pointer: promote_first(pointer, name, "first", stack.bench.clock()))
    for number in range(60):
        stack.bench.clock.forward(1)
        answer = stack.bench.predict({"mean_radius": number + 0.5, "mean_texture": 1.0}, caller=f"c{number}")
        assert answer.status == 200
        stack.tell(f"r-c{number}", (1.5 * (number + 0.5),))
    version = priced(stack, 1.4)
    by_job, here = rehearsed(stack, version, "--by-job"), rehearsed(stack, version)
    assert by_job["truths"] == here["truths"]
    assert by_job["metrics"]["agreement"] == here["metrics"]["agreement"] == pytest.approx(5 / 60)
    assert by_job["decision"] == "pass"
    truths = by_job["truths"]
    assert (truths["labelled"], truths["worse"], truths["better"]) == (60, 0, pytest.approx(57.6, abs=0.5))
    measured = truths["quality"][0]["metrics"]["mae"]
    assert (measured["candidate"], measured["champion"]) == (pytest.approx(3.0, abs=0.01), pytest.approx(15, abs=0.01))


def test_ctrl_c_cancels_the_job_and_a_worker_that_comes_late_does_none_of_it(stack: Stack, workers: Workers) -> None:
    stack.bench.champion()
    stack.ask(20, nobody)
    version = stack.bench.register(ALIKE)

    def interrupt() -> None:
        workers.does = workers.queue.run
        raise KeyboardInterrupt

    workers.does = interrupt
    said = stack.staged.sml("rehearse", f"{MODEL}@{version}", "--by-job")
    assert said.code == 130
    assert "is being cancelled" in said.err
    [mark] = workers.left()
    assert mark.endswith(".cancelled")
    assert workers.queue.dead == []


def test_a_job_whose_worker_never_comes_is_cancelled_all_the_same(
    stack: Stack, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidate_job, "monotonic", itertools.count().__next__)
    workers.does = lambda: None
    stack.bench.champion()
    stack.ask(20, nobody)
    version = stack.bench.register(ALIKE)
    said = stack.staged.sml("rehearse", f"{MODEL}@{version}", "--by-job", "--timeout", "1")
    assert (said.code, "the job was queued after 1 s, and is cancelled; --timeout gives it longer" in said.err) == (
        4,
        True,
    )
    [mark] = workers.left()
    assert mark.endswith(".cancelled")
    workers.queue.run()
    assert workers.queue.dead == []
    assert not any(key.endswith(".jsonl") for key in workers.left())


def test_a_job_that_fails_is_told_with_its_reason_and_leaves_nothing(
    stack: Stack, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.bench.champion()
    stack.ask(20, nobody)
    version = stack.bench.register(ALIKE)
    failed = {"status": "failed", "error": {"detail": "given up after 3 attempts"}}
    monkeypatch.setattr(JobsApi, "status", lambda *_: failed)
    said = stack.staged.sml("rehearse", f"{MODEL}@{version}", "--by-job")
    assert said.code == 1
    assert "the job that was to answer the rows failed: given up after 3 attempts" in said.err
    assert workers.left() == []


def redacted(stack: Stack) -> str:
    stack.bench.predictor._redaction = Redaction({"mean_radius": "omit"})
    stack.ask(5, nobody)
    return stack.bench.register(ALIKE)


def with_a_text(stack: Stack) -> str:
    stack.ask(5, nobody)
    return stack.bench.register(ALIKE, [FEATURES[0], {"name": "note", "kind": "text", "words": 1}])


def without_names(stack: Stack) -> str:
    stack.ask(5, nobody)
    inputs = [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}]
    card = {"task": "finished", "inputs": inputs, "scores": SCORES}
    key = f"{MODEL}/versions/{'f' * 16}/card.json"
    stack.bench.models.put_json(key, {**card, "version": "f" * 16, "run": "r", "created": "now"})
    return "f" * 16


def without_jobs(stack: Stack) -> str:
    del stack.staged.outputs["functions"]["jobs"]
    return stack.bench.register(ALIKE)


def without_captures(stack: Stack) -> str:
    return stack.bench.register(ALIKE)


def unknown(stack: Stack) -> str:
    return "ffff"


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (redacted, "nothing can be asked: 5 without mean_radius, which captures do not keep (capture.redact)"),
        (with_a_text, "by a job: captures hold the numbers that note became, and no table does; without --by-job"),
        (without_names, "by a job: the columns of x have no names in model.yaml (columns); without --by-job it is"),
        (without_jobs, "there is no function jobs in the stack local; there are: predict, labels"),
        (without_captures, f"no row of {MODEL} was captured from "),
        (unknown, f"{MODEL} has no version ffff: "),
    ],
)
def test_what_cannot_be_asked_by_a_job_is_one_sentence_and_no_job_is_made(
    stack: Stack, workers: Workers, made: Callable[[Stack], str], told: str
) -> None:
    stack.bench.champion()
    said = stack.staged.sml("rehearse", f"{MODEL}@{made(stack)}", "--by-job")
    assert (said.code, len(said.err.strip().splitlines())) == (1, 1)
    assert told in said.err
    assert workers.left() == []
