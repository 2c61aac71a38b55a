from __future__ import annotations

import json
import os
import signal
import time
from typing import Any

import pytest

from functions.core.dataset.prepare import Preparation
from functions.core.runtime.log import Log
from functions.core.selection.select import Selection
from functions.core.storage.store_url import open_store
from functions.core.training.train import Trainer
from infra.keys import Access
from localcloud.commands.watch import Watch
from models.breast_cancer import sample
from tests.loop.running import MODEL, PREDICT, SECONDS, Running, csv_of, rows


def without_target(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != sample.TARGET}


CASES = [without_target(row) for row in rows(500, 569)]


def judged(running: Running, run: str) -> dict[str, Any]:
    """Return the record of a run that is over; callers ask while its version is judged, and not while it trains."""
    running.reached(run, "registered", "canary")
    with running.callers(CASES):
        return running.over(run)


def test_an_upload_becomes_the_version_that_answers(running: Running) -> None:
    before = running.live()
    with running.callers(CASES) as callers:
        record = running.train("round-trip.csv", csv_of(rows(0, 480)))
        assert record["status"] == "promoted", record
        version = record["version"]
        running.wait(lambda: running.answering() == version or None, "the new version to answer")
    assert not callers.failures
    assert callers.variants["challenger"] > 0
    live = running.live()
    assert (live["champion"], live["previous"], live["challenger"]) == (version, before["champion"], None)
    for label in ("malignant", "benign"):
        case = next(row for row in rows(500, 569) if row[sample.TARGET] == label)
        status, headers, answer = running.post(PREDICT, {"instances": [without_target(case)]})
        assert (status, headers["x-model-version"]) == (200, version)
        assert answer["predictions"][0]["label"] == label


def test_the_same_rows_under_another_name_are_not_trained_again(running: Running) -> None:
    content = csv_of(rows(10, 260))
    first = judged(running, running.upload("once.csv", content))
    versions, live = running.versions(), running.live()
    again = running.upload("twice.csv", content.replace(b"\n", b"\r\n"))
    running.idle()
    assert again == first["run"]
    assert (running.versions(), running.live()) == (versions, live)


def test_a_dataset_whose_arrival_was_lost_is_trained_on_when_someone_asks_and_only_once(running: Running) -> None:
    watch = Watch(running.models, MODEL)
    with running.unannounced():
        running.data.put(f"{MODEL}/incoming/lost.csv", csv_of(rows(25, 290)))
        running.idle()
    assert running.sml("retrain", MODEL).code == 0
    record = judged(running, watch.new_run(SECONDS))
    assert record["source"] == f"{MODEL}/incoming/lost.csv"
    versions, live = running.versions(), running.live()
    assert running.sml("retrain", MODEL).code == 0
    running.idle()
    assert (running.versions(), running.live()) == (versions, live)


def test_a_dataset_with_a_wrong_column_is_rejected_by_its_name_and_nothing_changes(running: Running) -> None:
    versions, live = running.versions(), running.live()
    columns = ["radius_mean" if name == "mean_radius" else name for name in sample.header()]
    table = [{("radius_mean" if k == "mean_radius" else k): v for k, v in row.items()} for row in rows(20, 300)]
    record = running.train("wrong-column.csv", csv_of(table, columns))
    assert record["status"] == "rejected"
    text = json.dumps(record)
    assert "radius_mean" in text
    assert "mean_radius" in text
    assert (running.versions(), running.live()) == (versions, live)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("header-alone.csv", csv_of([])),
        ("latin1.csv", "größe,diagnosis\n1,benign\n".encode("latin-1")),
        ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256))),
        ("picture.parquet", b"PAR1" + bytes(200)),
    ],
)
def test_what_is_no_dataset_is_rejected(running: Running, name: str, content: bytes) -> None:
    live = running.live()
    assert running.train(name, content)["status"] == "rejected"
    assert running.live() == live


def test_a_few_bad_rows_are_set_aside_with_their_reasons_and_the_rest_is_learned_from(running: Running) -> None:
    table = rows(30, 330)
    table[4]["mean_radius"] = "-1"
    table[9]["mean_texture"] = "a lot"
    record = judged(running, running.upload("two-bad-rows.csv", csv_of(table)))
    assert (record["rows"], record["rejected_rows"]) == (298, 2)
    assert record["status"] == "promoted"
    aside = running.data.get(f"{MODEL}/datasets/{record['dataset']}/rejected.csv").decode()
    assert "mean_radius" in aside
    assert "mean_texture" in aside


def test_too_many_bad_rows_reject_the_whole_dataset(running: Running) -> None:
    table = rows(40, 340)
    for row in table[::10]:
        row["mean_radius"] = "-1"
    record = running.train("many-bad-rows.csv", csv_of(table))
    assert record["status"] == "rejected"
    assert "mean_radius" in json.dumps(record)


@pytest.mark.usefixtures("contracts_of_the_stack")
def test_an_experiment_whose_worker_is_killed_twice_gives_the_same_version(running: Running) -> None:
    content = csv_of(rows(50, 400))
    expected = trained_here(content)
    signal_workers(running, "train", signal.SIGSTOP)
    run = running.upload("killed.csv", content)
    for _ in range(2):
        running.wait(lambda: signal_workers(running, "train", signal.SIGSTOP) or None, "a worker")
        assert done(running, run) == [], "the workers were stopped after their work"
        time.sleep(1)  # a stopped worker keeps the call that it got: the kill comes in the middle
        signal_workers(running, "train", signal.SIGKILL)
    record = judged(running, run)
    assert (record["status"], record["version"]) == ("promoted", expected)


def test_a_step_that_may_not_write_fails_its_run_and_the_same_dataset_carries_on(running: Running) -> None:
    """Take away the select function's permission to write, and give it back: what was tried is not tried again."""
    versions, live = running.versions(), running.live()
    content = csv_of(rows(60, 420))
    with running.without("select", Access.WRITE):
        record = running.train("forbidden.csv", content)
    tried = {key: running.models.get(key) for key in done(running, record["run"])}
    assert tried
    assert record["status"] == "failed"
    assert record["cause"].startswith("select: "), record["cause"]
    assert "denied" in record["cause"].lower(), record["cause"]
    assert (running.versions(), running.live()) == (versions, live)
    running.idle()
    with running.callers(CASES):
        assert running.upload("allowed.csv", content) == record["run"]
        running.idle()
    record = running.over(record["run"])
    assert record["status"] == "promoted", record
    assert running.live()["champion"] == record["version"]
    assert {key: running.models.get(key) for key in done(running, record["run"])} == tried


def done(running: Running, run: str) -> list[str]:
    """Return the experiments that are recorded."""
    return [key for key in running.models.keys(f"{MODEL}/runs/{run}/experiments/") if key.endswith(".json")]


def trained_here(content: bytes) -> str:
    """Return the version that the same dataset gives in memory, without a stack."""
    data, models = open_store("memory://"), open_store("memory://")
    data.put(f"{MODEL}/incoming/x.csv", content)
    prepare = Preparation(data=data, models=models, execution="here", at="2026-01-01T00:00:00+00:00")
    answer = prepare({"source": f"{MODEL}/incoming/x.csv"})
    train = Trainer(data=data, models=models, log=Log())
    for experiment in answer["experiments"]:
        train(answer["model"], answer["run"], experiment)
    selection = Selection(data=data, models=models, at="2026-01-01T00:00:00+00:00")
    return str(selection(answer["model"], answer["run"])["version"])


def signal_workers(running: Running, function: str, what: signal.Signals) -> int:
    """Signal every process that runs the function; return how many there were."""
    return sum(signalled(pid, what) for pid in running.stack.workers(function))


def signalled(pid: int, what: signal.Signals) -> bool:
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        return False
    return True
