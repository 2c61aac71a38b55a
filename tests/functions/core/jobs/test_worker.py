from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import obstore
import pytest

from functions.core.http.problem import Problem
from functions.core.jobs import source
from functions.core.jobs.job import NotAJob
from functions.core.jobs.worker import Worker
from functions.core.onnx.session import ModelFailure
from functions.core.runtime.consumer import Delivery
from functions.core.storage.objects import Objects
from functions.core.storage.tag import Tag
from tests.functions import jobbing
from tests.functions.jobbing import ATTEMPTS, Killed, Mortal, Queue
from tests.functions.serving import MODEL, POISON, Away, Bench, model_bytes

ONE = json.dumps({"instances": [[1, 9]]}).encode()
LAST = Delivery(number=ATTEMPTS, seconds_left=lambda: 30.0)


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.champion()
    return bench


def worker(bench: Bench, objects: Any = None) -> Worker:
    return jobbing.worker(bench, objects or bench.jobs)


def results(bench: Bench) -> list[str]:
    return list(bench.jobs.keys(f"{MODEL}/out"))


def reasons(bench: Bench) -> dict[str, Any]:
    return {key.removeprefix(f"{MODEL}/dead/"): bench.jobs.get_json(key) for key in bench.jobs.keys(f"{MODEL}/dead")}


def test_a_job_may_have_more_rows_than_a_request(bench: Bench) -> None:
    bench.jobs.put(f"{MODEL}/in/j", json.dumps({"instances": [[1, 9]] * 10_000 + [[9, 1]]}).encode())
    worker(bench).work(f"{MODEL}/in/j")
    predictions = bench.jobs.get_json(f"{MODEL}/out/j.json")["predictions"]
    assert [row["label"] for row in predictions[9_999:]] == ["benign", "malignant"]


def test_a_job_delivered_many_times_at_once_has_one_result(bench: Bench) -> None:
    bench.jobs.put(f"{MODEL}/in/j", ONE)
    bench.predict()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: worker(bench).work(f"{MODEL}/in/j"), range(4)))
    assert sum(line["written"] for line in bench.logged("job")) == 1
    before = bench.jobs.read(f"{MODEL}/out/j.json")
    worker(bench).work(f"{MODEL}/in/j")
    assert bench.jobs.read(f"{MODEL}/out/j.json") == before


def test_a_job_that_is_done_is_not_done_again(bench: Bench) -> None:
    bench.jobs.put(f"{MODEL}/in/j", ONE)
    worker(bench).work(f"{MODEL}/in/j")
    nobody = Worker(bench.jobs, {MODEL: Bench().model_cache}, bench.log, attempts=ATTEMPTS)  # without a champion
    for key in (f"{MODEL}/in/j", f".again/{MODEL}/j/000003", f"{MODEL}/in/.again/j/000003"):
        nobody.work(key, LAST)
    assert reasons(bench) == {}


def test_without_a_champion_a_job_is_retried() -> None:
    bench = Bench()
    bench.jobs.put(f"{MODEL}/in/j", ONE)
    with pytest.raises(Problem) as caught:
        worker(bench).work(f"{MODEL}/in/j")
    assert caught.value.status == 503
    assert results(bench) == []
    bench.champion()
    worker(bench).work(f"{MODEL}/in/j")
    assert results(bench) == [f"{MODEL}/out/j.json"]


def test_a_failure_that_is_not_the_jobs_is_retried(bench: Bench) -> None:
    bench.jobs.put(f"{MODEL}/in/j", ONE)
    away = Away(bench.jobs, lambda operation, _: operation == "create")
    with pytest.raises(OSError, match="away"):
        worker(bench, away).work(f"{MODEL}/in/j")
    assert results(bench) == []


@pytest.mark.parametrize("name", ["j", "j.csv", "j.jsonl"])
def test_a_job_whose_input_was_deleted_before_it_began_has_failed_and_says_so(name: str, bench: Bench) -> None:
    worker(bench).work(f"{MODEL}/in/{name}")
    error = bench.jobs.get_json(f"{MODEL}/out/{name}.json")["error"]
    assert (error["status"], error["detail"][:21]) == (410, "the input was deleted")


def test_a_job_whose_input_is_deleted_while_it_is_read_has_failed_and_says_so(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "BLOCK_BYTES", 40)
    bench.jobs.put(f"{MODEL}/in/j.jsonl", b"[1, 9]\n" * 40)

    class Fading(Objects):
        """The input is deleted once some of it was read."""

        def block(self, key: str, start: int, size: int) -> tuple[bytes, Tag]:
            found = super().block(key, start, size)
            obstore.delete(bench.jobs._store, key)
            return found

    worker(bench, Fading(bench.jobs._store)).work(f"{MODEL}/in/j.jsonl")
    assert bench.jobs.get_json(f"{MODEL}/out/j.jsonl.json")["error"]["status"] == 410


def test_a_header_that_does_not_fit_is_told_in_a_few_words_however_long_it_is(bench: Bench) -> None:
    header = ",".join("x" * 60_000 + str(number) for number in range(30))
    bench.jobs.put(f"{MODEL}/in/j.csv", f"{header}\n1\n".encode())
    worker(bench).work(f"{MODEL}/in/j.csv")
    document = bench.jobs.get(f"{MODEL}/out/j.csv.json")
    assert b"the header does not fit the model" in document
    assert len(document) < 5_000


def test_a_request_that_the_model_fails_on_is_retried_and_becomes_a_dead_letter() -> None:
    bench = Bench()
    bench.champion(model_bytes(fails=True))
    bench.jobs.put(f"{MODEL}/in/j", json.dumps({"instances": [POISON]}).encode())
    with pytest.raises(ModelFailure):
        worker(bench).work(f"{MODEL}/in/j")
    assert reasons(bench) == {}
    with pytest.raises(ModelFailure):
        worker(bench).work(f"{MODEL}/in/j", LAST)
    [(name, reason)] = reasons(bench).items()
    assert (name, reason["key"], reason["deliveries"]) == ("j.json", f"{MODEL}/in/j", ATTEMPTS)
    assert reason["reason"].startswith("ModelFailure: ")
    assert reason["told"] == "the model fails on it"
    assert results(bench) == []


def test_a_worker_that_is_killed_at_its_last_delivery_has_written_the_reason(bench: Bench) -> None:
    store = Mortal(bench.jobs)
    store.put(f"{MODEL}/in/j", ONE)
    store.dies = lambda operation, _: operation == "before look"
    queue = Queue(bench, store)
    queue.run()
    assert queue.dead == [f"{MODEL}/in/j"]
    assert queue.deliveries == ATTEMPTS
    [reason] = reasons(bench).values()
    assert "killed before it was done" in reason["reason"]


def test_the_reason_of_a_last_delivery_counts_only_once_its_time_is_over(bench: Bench) -> None:
    store = Mortal(bench.jobs)
    store.put(f"{MODEL}/in/j", ONE)
    store.dies = lambda operation, _: operation == "before look"
    with pytest.raises(Killed):
        worker(bench, store).work(f"{MODEL}/in/j", LAST)
    assert reasons(bench)["j.json"]["until"] == bench.clock() + 30


@pytest.mark.parametrize(
    "key", [f"{MODEL}/in/a/b", f"{MODEL}/in/.hidden", f".again/{MODEL}/j/1/2", f"{MODEL}/in/.again/j/1/2"]
)
def test_a_key_of_no_job_becomes_a_dead_letter_with_its_reason(key: str, bench: Bench) -> None:
    with pytest.raises(NotAJob):
        worker(bench).work(key)
    assert reasons(bench) == {}
    with pytest.raises(NotAJob):
        worker(bench).work(key, LAST)
    [(name, reason)] = reasons(bench).items()
    assert name.startswith("not-a-job-")
    assert reason["key"] == key
    assert "a job's key is" in reason["reason"]


@pytest.mark.parametrize("key", ["", "x", f"{MODEL}/out/j.json", "other/in/j"])
def test_a_key_that_no_job_can_have_is_no_job(key: str, bench: Bench) -> None:
    with pytest.raises(NotAJob):
        worker(bench).work(key, LAST)
    assert all(written.startswith(MODEL) for written in bench.jobs.keys(""))


def test_a_reason_that_cannot_be_written_hides_no_failure(bench: Bench) -> None:
    away = Away(bench.jobs, lambda operation, key: "/dead/" in key or operation == "look")
    bench.jobs.put(f"{MODEL}/in/j", ONE)
    with pytest.raises(OSError, match="away"):
        worker(bench, away).work(f"{MODEL}/in/j", LAST)
    assert bench.logged("reason not written")[0]["metric"] == "ReasonNotWritten"


@pytest.mark.parametrize("marker", [f"{MODEL}/in/", ".again/", f".again/{MODEL}/", f".again/{MODEL}/j/"])
def test_the_marker_object_of_a_folder_is_ignored(marker: str, bench: Bench) -> None:
    worker(bench).work(marker)
    assert list(bench.jobs.keys(MODEL)) == []
