from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from functions.core import jobs
from functions.core.jobs import NotAJob, Worker
from functions.core.objects import Missing
from functions.core.onnx import ModelFailure
from functions.core.problem import Problem
from tests.functions.serving import BENIGN, MALIGNANT, MODEL, POISON, Away, Bench, model_bytes, said

JOBS = f"/v2/models/{MODEL}/jobs"


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.champion()
    return made


def worker(bench: Bench) -> Worker:
    return Worker(bench.jobs, {MODEL: bench.follower}, bench.log)


def submit(bench: Bench, *rows: Any, key: str | None = None, caller: str = "a caller") -> dict[str, Any]:
    headers = {"idempotency-key": key} if key is not None else {}
    response = bench.send("POST", JOBS, {"instances": list(rows)}, headers=headers, caller=caller)
    return {"http": response.status, **said(response)}


def status(bench: Bench, job: str) -> dict[str, Any]:
    return said(bench.send("GET", f"{JOBS}/{job}"))


def test_a_job_is_queued_done_and_answered_like_a_prediction(bench: Bench) -> None:
    submitted = submit(bench, BENIGN, MALIGNANT)
    assert submitted["http"] == 202
    assert submitted["url"] == f"{JOBS}/{submitted['id']}"
    assert status(bench, submitted["id"]) == {"id": submitted["id"], "model": MODEL, "status": "queued"}
    worker(bench).work(f"{MODEL}/in/{submitted['id']}")
    done = status(bench, submitted["id"])
    assert done["status"] == "done"
    assert done["result"]["predictions"] == said(bench.predict(BENIGN, MALIGNANT))["predictions"]
    assert done["result"]["version"] == bench.live.read().champion


def test_the_same_key_of_the_same_caller_is_the_same_job(bench: Bench) -> None:
    first = submit(bench, BENIGN, key="k")
    assert submit(bench, BENIGN, key="k")["id"] == first["id"]
    assert submit(bench, BENIGN, key="k2")["id"] != first["id"]
    assert submit(bench, BENIGN, key="k", caller="another")["id"] != first["id"]
    assert submit(bench, BENIGN)["id"] != submit(bench, BENIGN)["id"]
    other = submit(bench, MALIGNANT, key="k")
    assert (other["http"], other["error"]) == (422, "this Idempotency-Key was used for another request")


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_without_letters_or_with_too_many_is_refused(key: str, bench: Bench) -> None:
    assert submit(bench, BENIGN, key=key)["http"] == 400


@pytest.mark.parametrize("body", [{}, {"instances": []}, {"instances": {}}, {"rows": []}])
def test_what_is_no_request_is_not_queued(body: Any, bench: Bench) -> None:
    assert bench.send("POST", JOBS, body).status == 400
    assert list(bench.jobs.keys(MODEL)) == []


@pytest.mark.parametrize(
    ("data", "code", "text"),
    [
        (b"not json", 400, "not JSON"),
        (b"\xff", 400, "not UTF-8"),
        (json.dumps({"instances": [{"mean_radius": 1.0}]}).encode(), 400, "do not fit"),
        (b'{"instances": []}', 400, "no rows"),
    ],
)
def test_a_malformed_job_is_answered_and_not_tried_again(data: bytes, code: int, text: str, bench: Bench) -> None:
    bench.jobs.put(f"{MODEL}/in/bulk-1.json", data)
    worker(bench).work(f"{MODEL}/in/bulk-1.json")
    found = status(bench, "bulk-1.json")
    assert (found["status"], found["error"]["status"]) == ("failed", code)
    assert text in found["error"]["detail"]


def test_a_job_too_large_is_answered_without_being_read(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "LARGEST_JOB", 10)
    bench.jobs.put(f"{MODEL}/in/j", b"x" * 11)
    worker(bench).work(f"{MODEL}/in/j")
    assert status(bench, "j")["error"]["status"] == 413


def test_a_job_may_have_more_rows_than_a_request(bench: Bench) -> None:
    bench.jobs.put(f"{MODEL}/in/j", json.dumps({"instances": [[1, 9]] * 10_000 + [[9, 1]]}).encode())
    worker(bench).work(f"{MODEL}/in/j")
    predictions = bench.jobs.get_json(f"{MODEL}/out/j.json")["predictions"]
    assert [row["label"] for row in predictions[9_999:]] == ["benign", "malignant"]


def test_a_result_too_large_for_the_api_is_pointed_at(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "LARGEST_INLINE", 10)
    bench.jobs.put(f"{MODEL}/in/j", json.dumps({"instances": [[1, 9]]}).encode())
    worker(bench).work(f"{MODEL}/in/j")
    found = status(bench, "j")
    assert (found["status"], found["result"], found["result_key"]) == ("done", None, f"{MODEL}/out/j.json")


def test_a_job_delivered_many_times_at_once_has_one_result(bench: Bench) -> None:
    bench.jobs.put(f"{MODEL}/in/j", json.dumps({"instances": [[1, 9]]}).encode())
    bench.predict()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: worker(bench).work(f"{MODEL}/in/j"), range(4)))
    assert sum(line["written"] for line in bench.logged("job")) == 1
    before = bench.jobs.read(f"{MODEL}/out/j.json")
    worker(bench).work(f"{MODEL}/in/j")
    assert bench.jobs.read(f"{MODEL}/out/j.json") == before


def test_a_job_that_is_done_is_not_done_again(bench: Bench) -> None:
    bench.jobs.put(f"{MODEL}/in/j", json.dumps({"instances": [[1, 9]]}).encode())
    worker(bench).work(f"{MODEL}/in/j")
    Worker(bench.jobs, {MODEL: Bench().follower}, bench.log).work(f"{MODEL}/in/j")  # this one has no champion
    assert status(bench, "j")["status"] == "done"


def test_without_a_champion_a_job_is_tried_again() -> None:
    bench = Bench()
    bench.jobs.put(f"{MODEL}/in/j", json.dumps({"instances": [[1, 9]]}).encode())
    with pytest.raises(Problem) as caught:
        worker(bench).work(f"{MODEL}/in/j")
    assert caught.value.status == 503
    assert status(bench, "j")["status"] == "queued"
    bench.champion()
    worker(bench).work(f"{MODEL}/in/j")
    assert status(bench, "j")["status"] == "done"


def test_trouble_that_is_not_the_jobs_is_tried_again(bench: Bench) -> None:
    with pytest.raises(Missing):
        worker(bench).work(f"{MODEL}/in/never-there")
    bench.jobs.put(f"{MODEL}/in/j", json.dumps({"instances": [[1, 9]]}).encode())
    away: Any = Away(bench.jobs, lambda operation, _: operation == "create")
    with pytest.raises(OSError, match="away"):
        Worker(away, {MODEL: bench.follower}, bench.log).work(f"{MODEL}/in/j")
    assert status(bench, "j")["status"] == "queued"


def test_a_model_that_fails_on_a_job_leaves_it_to_be_tried_again() -> None:
    bench = Bench()
    bench.champion(model_bytes(fails=True))
    bench.jobs.put(f"{MODEL}/in/j", json.dumps({"instances": [POISON]}).encode())
    with pytest.raises(ModelFailure):
        worker(bench).work(f"{MODEL}/in/j")
    assert status(bench, "j")["status"] == "queued"


@pytest.mark.parametrize(
    "key", ["", "x", f"{MODEL}/out/j.json", f"{MODEL}/in/a/b", f"{MODEL}/in/.hidden", "other/in/j"]
)
def test_a_key_that_no_job_can_have_is_no_job(key: str, bench: Bench) -> None:
    with pytest.raises(NotAJob):
        worker(bench).work(key)


def test_a_folders_own_marker_is_passed_over(bench: Bench) -> None:
    worker(bench).work(f"{MODEL}/in/")
    assert list(bench.jobs.keys(MODEL)) == []


@pytest.mark.parametrize("job", ["none", "%2e%2e", "..%2flive.json", "a" * 200])
def test_a_job_that_nobody_queued_is_404(job: str, bench: Bench) -> None:
    assert bench.send("GET", f"{JOBS}/{job}").status == 404
