from __future__ import annotations

import gzip
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import obstore
import pytest

from functions.core.jobs import api
from functions.core.jobs.checkpoints import Checkpoint, Checkpoints, Plan
from functions.core.jobs.job import UPLOADS, Job, dead_letter_reason
from functions.core.runtime.consumer import Delivery
from functions.core.storage.objects import Objects
from interface.operations import NO_UPLOADS, REQUEST_BYTES
from tests.functions import jobbing
from tests.functions.core.api.test_openapi import check
from tests.functions.jobbing import jsonl, signing
from tests.functions.serving import BENIGN, MALIGNANT, MODEL, Bench, model_bytes, said

JOBS = f"/v2/models/{MODEL}/jobs"


@pytest.fixture
def bench() -> Bench:
    bench = Bench(jobs=signing())
    bench.champion()
    return bench


def work(bench: Bench, name: str, delivery: Delivery | None = None) -> None:
    worker = jobbing.worker(bench, bench.jobs)
    worker.work(f"{MODEL}/in/{name}", delivery or Delivery())


def post(
    bench: Bench, body: Any, key: str | None = None, caller: str = "a caller", principal: str | None = None
) -> dict[str, Any]:
    headers = {"idempotency-key": key} if key is not None else {}
    response = bench.send("POST", JOBS, body, headers=headers, caller=caller, principal=principal)
    check(said(bench.send("GET", "/openapi.json")), "job" if response.status == 202 else "error", said(response))
    return {"http": response.status, **said(response)}


def submit(bench: Bench, *rows: Any, key: str | None = None, caller: str = "a caller") -> dict[str, Any]:
    return post(bench, {"instances": list(rows)}, key, caller)


def status(bench: Bench, job: str, principal: str | None = None) -> dict[str, Any]:
    """Return the status of the job, and check it against the description of the API."""
    document = said(bench.send("GET", f"{JOBS}/{job}", principal=principal))
    check(said(bench.send("GET", "/openapi.json")), "job", document)
    return document


def test_a_job_is_queued_done_and_answered_like_a_prediction(bench: Bench) -> None:
    submitted = submit(bench, BENIGN, MALIGNANT)
    assert submitted["http"] == 202
    assert submitted["url"] == f"{JOBS}/{submitted['id']}"
    assert status(bench, submitted["id"]) == {"id": submitted["id"], "model": MODEL, "status": "queued"}
    work(bench, submitted["id"])
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


def test_an_upload_is_awaited_then_queued_and_its_result_is_in_the_order_of_its_rows(bench: Bench) -> None:
    ticket = post(bench, {"upload": "jsonl"})
    assert (ticket["http"], ticket["status"]) == (202, "waiting")
    upload = ticket["upload"]
    url, query = urlsplit(upload["url"]), parse_qs(urlsplit(upload["url"]).query)
    assert url.path == f"/jobs/{MODEL}/in/{ticket['id']}"
    assert (upload["method"], query["X-Amz-Expires"]) == ("PUT", [str(upload["expires_in"])])
    assert "X-Amz-Signature" in query
    assert "made up" not in upload["url"]
    assert status(bench, ticket["id"])["status"] == "waiting"
    bench.jobs.put(f"{MODEL}/in/{ticket['id']}", jsonl([MALIGNANT, {"mean_radius": 1}, BENIGN]))
    assert status(bench, ticket["id"])["status"] == "queued"
    work(bench, ticket["id"])
    done = status(bench, ticket["id"])
    assert (done["status"], done["rows"], done["refused"]) == ("done", 3, 1)
    assert [answer.get("label") for answer in done["result"]["predictions"]] == ["malignant", None, "benign"]


def test_where_no_urls_are_signed_a_program_can_tell(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Objects, "signs", property(lambda _: False))
    refused = post(bench, {"upload": "csv"})
    assert (refused["http"], refused["type"], MODEL in refused["error"]) == (400, NO_UPLOADS, True)
    assert "type" not in post(bench, {"upload": "other"})


def test_an_upload_asked_for_again_with_the_same_key_is_the_same_job(bench: Bench) -> None:
    first = post(bench, {"upload": "csv"}, key="k")
    again = post(bench, {"upload": "csv"}, key="k")
    assert (again["http"], again["id"]) == (202, first["id"])
    assert post(bench, {"upload": "jsonl"}, key="k")["http"] == 422
    assert submit(bench, BENIGN, key="k")["http"] == 422
    assert submit(bench, BENIGN, key="other")["http"] == 202
    assert post(bench, {"upload": "csv"}, key="other")["http"] == 422


def test_ids_are_not_to_be_guessed_by_who_knows_caller_and_key(bench: Bench) -> None:
    ids = set()
    for _ in range(2):
        other = Bench(jobs=signing())
        other.champion()
        ids |= {submit(other, BENIGN, key="k")["id"], post(other, {"upload": "csv"}, key="u")["id"]}
    assert len(ids) == 4
    assert all(re.fullmatch(r"job-[0-9a-f]{32}(\.csv)?", one) for one in ids)


def test_a_job_is_there_for_its_caller_alone(bench: Bench) -> None:
    for body in ({"instances": [BENIGN]}, {"upload": "csv"}):
        job = post(bench, body, principal="ann")["id"]
        assert status(bench, job, "ann")["id"] == job
        for path in (f"{JOBS}/{job}", f"{JOBS}/{job}/cancel"):
            method = "POST" if path.endswith("cancel") else "GET"
            for other in ("bob", "", None):
                response = bench.send(method, path, principal=other, headers={"x-caller-id": "ann"})
                assert (response.status, said(response)["error"]) == (404, "there is no such job")
    assert not [key for key in bench.jobs.keys(".tickets") if "ann" in key]


def test_the_same_key_of_another_principal_is_another_job(bench: Bench) -> None:
    first = post(bench, {"instances": [BENIGN]}, key="k", caller="id:x", principal="ann")
    assert post(bench, {"instances": [BENIGN]}, key="k", caller="id:y", principal="ann")["id"] == first["id"]
    assert post(bench, {"instances": [MALIGNANT]}, key="k", caller="id:x", principal="bob")["http"] == 202


def test_a_job_that_the_api_named_is_gone_with_its_ticket(bench: Bench) -> None:
    job = Job(model=MODEL, name=submit(bench, BENIGN)["id"])
    obstore.delete(bench.jobs._store, job.ticket)
    assert bench.send("GET", f"{JOBS}/{job.name}").status == 404


def test_a_file_in_the_store_belongs_to_nobody(bench: Bench) -> None:
    bench.jobs.put(f"{MODEL}/in/rows.jsonl", jsonl([BENIGN]))
    assert [status(bench, "rows.jsonl", who)["status"] for who in (None, "ann", "bob")] == ["queued"] * 3


def listed(bench: Bench, query: str = "", **who: Any) -> Any:
    response = bench.send("GET", f"{JOBS}{query}", **who)
    document = said(response)
    check(said(bench.send("GET", "/openapi.json")), "jobs" if response.status == 200 else "error", document)
    return document["jobs"] if response.status == 200 else (response.status, document["error"])


def test_a_list_has_the_callers_own_jobs_the_newest_first(bench: Bench) -> None:
    jobs = []
    for body in ({"instances": [BENIGN]}, {"upload": "csv"}, {"instances": [{"mean_radius": -1}]}):
        jobs.append(post(bench, body, principal="ann")["id"])
        post(bench, {"instances": [BENIGN]}, principal="bob")
        bench.clock.forward(1.5)
    work(bench, jobs[0])
    work(bench, jobs[2])
    assert [(job["id"], job["status"]) for job in listed(bench, principal="ann")] == [
        (jobs[2], "failed"),
        (jobs[1], "waiting"),
        (jobs[0], "done"),
    ]
    newest, *_ = listed(bench, principal="ann")
    assert newest["created"] == "2026-09-21T14:13:23.000+00:00"
    assert listed(bench, principal="carol") == []


def test_a_list_is_read_page_by_page(bench: Bench) -> None:
    jobs = []
    for _ in range(5):
        jobs.append(post(bench, {"instances": [BENIGN]}, principal="ann")["id"])
        bench.clock.forward(1)
    found, query = [], "?limit=2"
    while query:
        page = said(bench.send("GET", f"{JOBS}{query}", principal="ann"))
        found += [job["id"] for job in page["jobs"]]
        assert len(page["jobs"]) <= 2
        query = f"?limit=2&after={page['next']}" if "next" in page else ""
    assert found == jobs[::-1]


def test_a_job_that_is_sent_again_is_listed_once(bench: Bench) -> None:
    for _ in range(3):
        post(bench, {"instances": [BENIGN]}, key="k", principal="ann")
        bench.clock.forward(60)
    assert len(listed(bench, principal="ann")) == 1


def test_where_the_api_checks_nobody_jobs_are_listed_by_the_name_that_a_caller_gives_itself(bench: Bench) -> None:
    status_code, error = listed(bench)
    assert (status_code, "X-Caller-Id" in error) == (403, True)
    named = {"x-caller-id": "mine"}
    sent = said(bench.send("POST", JOBS, {"instances": [BENIGN]}, headers=named))
    assert [job["id"] for job in listed(bench, headers=named)] == [sent["id"]]
    assert status(bench, sent["id"])["status"] == "queued", "who knows the id needs no name"


@pytest.mark.parametrize("query", ["?limit=0", "?limit=101", "?limit=x", "?limit=", "?after=../x", "?other=1", "?a"])
def test_a_list_of_another_form_is_refused(query: str, bench: Bench) -> None:
    status_code, error = listed(bench, query, principal="ann")
    assert status_code == 400
    assert "limit" in error


@pytest.mark.parametrize("body", [{"instances": [BENIGN]}, {"upload": "jsonl"}])
def test_a_job_that_is_cancelled_is_not_answered(body: Any, bench: Bench) -> None:
    job = Job(model=MODEL, name=post(bench, body)["id"])
    cancelled = bench.send("POST", f"{JOBS}/{job.name}/cancel")
    assert (cancelled.status, said(cancelled)["status"]) == (200, "cancelled")
    assert "retry-after" not in bench.send("GET", f"{JOBS}/{job.name}").headers
    bench.jobs.put(job.input, jsonl([BENIGN]))
    work(bench, job.name)
    assert status(bench, job.name) == {"id": job.name, "model": MODEL, "status": "cancelled"}
    assert bench.jobs.get_json(job.result) == {"cancelled": True, "job": job.name, "model": MODEL}
    assert bench.send("POST", f"{JOBS}/{job.name}/cancel").body == cancelled.body


def test_a_job_that_has_ended_is_not_cancelled(bench: Bench) -> None:
    job = submit(bench, BENIGN)["id"]
    work(bench, job)
    done = status(bench, job)
    assert said(bench.send("POST", f"{JOBS}/{job}/cancel")) == done
    assert status(bench, job) == done
    assert bench.send("POST", f"{JOBS}/none/cancel").status == 404


def test_a_job_is_answered_by_the_version_that_was_asked_for(bench: Bench) -> None:
    inverted = bench.register(model_bytes(slope=-1.0))
    job = post(bench, {"instances": [BENIGN], "version": inverted}, key="k")
    again = post(bench, {"instances": [BENIGN], "version": inverted}, key="k")
    assert (job["http"], again["id"]) == (202, job["id"])
    assert post(bench, {"instances": [BENIGN]}, key="k")["http"] == 422
    work(bench, job["id"])
    done = status(bench, job["id"])
    assert done["result"]["version"] == inverted
    assert done["result"]["predictions"][0]["label"] == "malignant"
    upload = post(bench, {"upload": "jsonl", "version": inverted})["id"]
    bench.jobs.put(f"{MODEL}/in/{upload}", jsonl([BENIGN]))
    work(bench, upload)
    assert status(bench, upload)["version"] == inverted


@pytest.mark.parametrize("version", ["0" * 16, "latest", "../x", 7, [], True])
def test_a_version_that_is_not_there_is_refused_before_anything_is_queued(version: Any, bench: Bench) -> None:
    for body in ({"instances": [BENIGN], "version": version}, {"upload": "csv", "version": version}):
        assert post(bench, body)["http"] == 404
    assert list(bench.jobs.keys(MODEL)) == []


def test_no_second_url_is_given_for_what_was_uploaded(bench: Bench) -> None:
    job = post(bench, {"upload": "jsonl"}, key="k")
    assert "upload" in post(bench, {"upload": "jsonl"}, key="k")
    bench.jobs.put(f"{MODEL}/in/{job['id']}", jsonl([BENIGN]))
    again = post(bench, {"upload": "jsonl"}, key="k")
    assert (again["id"], again["status"], "upload" in again) == (job["id"], "queued", False)


@pytest.mark.parametrize("kind", UPLOADS)
def test_an_upload_is_named_after_what_it_holds(kind: str, bench: Bench) -> None:
    job = Job(model=MODEL, name=post(bench, {"upload": kind})["id"])
    assert (str(job.format), job.compressed) == (kind.removesuffix(".gz"), kind.endswith(".gz"))


def test_a_ticket_of_the_version_before_is_read(bench: Bench) -> None:
    name = f"{'0' * 32}.csv"
    bench.jobs.put_json(Job(model=MODEL, name=name).ticket, {"job": name})
    assert status(bench, name)["status"] == "waiting"


def test_where_nothing_is_signed_an_upload_is_refused_with_where_to_put_the_file() -> None:
    bench = Bench()
    bench.champion()
    refused = post(bench, {"upload": "csv"})
    assert refused["http"] == 400
    assert f"{MODEL}/in/" in refused["error"]
    assert list(bench.jobs.keys(MODEL)) == []


@pytest.mark.parametrize("body", [{"upload": "xls"}, {"upload": None}, {"upload": ["csv"]}, {"upload": "csv", "a": 1}])
def test_an_upload_of_another_kind_is_refused(body: Any, bench: Bench) -> None:
    refused = post(bench, body)
    assert refused["http"] == 400
    assert "json | json.gz | jsonl | jsonl.gz | csv | csv.gz | parquet | " in refused["error"]


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_that_is_empty_or_too_long_is_refused(key: str, bench: Bench) -> None:
    assert submit(bench, BENIGN, key=key)["http"] == 400


@pytest.mark.parametrize("body", [{}, {"instances": []}, {"instances": {}}, {"rows": []}, [], b"", b"nonsense"])
def test_what_is_no_request_is_not_queued(body: Any, bench: Bench) -> None:
    assert bench.send("POST", JOBS, body).status == 400
    assert list(bench.jobs.keys(MODEL)) == []


def test_a_request_that_is_too_large_is_refused_with_how_to_send_it(bench: Bench) -> None:
    refused = post(bench, b" " * (REQUEST_BYTES + 1))
    assert refused["http"] == 413
    assert '{"upload": "jsonl"}' in refused["error"]


def test_a_job_that_is_at_fault_fails_with_the_reason(bench: Bench) -> None:
    bench.jobs.put(f"{MODEL}/in/bulk-1.json", b"not json")
    work(bench, "bulk-1.json")
    document = status(bench, "bulk-1.json")
    assert (document["status"], document["error"]["status"]) == ("failed", 400)
    assert "not JSON" in document["error"]["detail"]


@pytest.mark.parametrize(
    ("name", "content", "key"),
    [
        ("j", json.dumps({"instances": [BENIGN] * 10}).encode(), "j.json"),
        ("j.jsonl", jsonl([BENIGN] * 10), "j.jsonl.jsonl"),
    ],
)
def test_a_result_too_large_for_the_api_is_linked_to(
    name: str, content: bytes, key: str, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.jobs.put(f"{MODEL}/in/{name}", content)
    work(bench, name)
    assert len(status(bench, name)["result"]["predictions"]) == 10
    monkeypatch.setattr(api, "LARGEST_INLINE", 300)
    document = status(bench, name)
    assert (document["status"], document["result"], document["result_key"]) == ("done", None, f"{MODEL}/out/{key}")
    assert urlsplit(document["result_url"]).path == f"/jobs/{MODEL}/out/{key}"


def test_a_result_that_is_compressed_is_linked_to_however_small(bench: Bench) -> None:
    bench.jobs.put(f"{MODEL}/in/j.jsonl.gz", gzip.compress(jsonl([BENIGN] * 10)))
    work(bench, "j.jsonl.gz")
    document = status(bench, "j.jsonl.gz")
    assert (document["status"], document["rows"], document["result"]) == ("done", 10, None)
    lines = gzip.decompress(bench.jobs.get(document["result_key"])).splitlines()
    assert len(lines) == 10
    assert urlsplit(document["result_url"]).path == f"/jobs/{document['result_key']}"


def test_the_status_of_a_running_job_has_its_progress(bench: Bench) -> None:
    job = Job(model=MODEL, name="j.csv")
    bench.jobs.put(job.input, b"x" * 1000)
    assert status(bench, "j.csv")["status"] == "queued"
    checkpoints = Checkpoints(bench.jobs, job)
    checkpoints.begin(
        Plan(
            version="3f2a9c0d11aa22bb",
            state="",
            batch_rows=5,
            part_rows=10,
            bounds=(0, 250, 500, 750, 1000),
        )
    )
    assert status(bench, "j.csv") | {"id": ""} == {
        "id": "", "model": MODEL, "status": "running", "version": "3f2a9c0d11aa22bb", "rows": 0, "progress": 0.0,
    }  # fmt: skip
    for number in (1, 2, 4):  # the third is still being worked on by somebody else
        checkpoints.write(Checkpoint(number=number, rows=number * 10, refused=0), b"")
    document = status(bench, "j.csv")
    assert (document["rows"], document["progress"]) == (70, 0.75)
    response = bench.send("GET", f"{JOBS}/j.csv")
    assert response.headers["retry-after"] == "1"


def test_a_job_whose_input_is_gone_is_not_unknown(bench: Bench) -> None:
    work(bench, "j.jsonl")
    document = status(bench, "j.jsonl")
    assert (document["status"], document["error"]["status"]) == ("failed", 410)
    record = {"reason": "x", "told": "its worker was killed", "deliveries": 5, "until": None}
    bench.jobs.put_json(dead_letter_reason(f"{MODEL}/in/k"), record)
    assert status(bench, "k")["status"] == "failed"


def test_a_job_that_is_a_dead_letter_has_failed_and_its_status_hides_the_details(bench: Bench) -> None:
    bench.jobs.put(f"{MODEL}/in/j", b"{}")
    record = {"reason": "OSError: s3://secret is away", "told": "something went wrong in its worker", "deliveries": 5}
    bench.jobs.put_json(dead_letter_reason(f"{MODEL}/in/j"), {**record, "until": bench.clock() + 60})
    assert status(bench, "j")["status"] == "queued"
    bench.clock.forward(60)
    document = status(bench, "j")
    assert (document["status"], document["error"]["status"]) == ("failed", 500)
    assert "given up after 5 attempts: something went wrong in its worker" in document["error"]["detail"]
    assert "secret" not in json.dumps(document)
    bench.jobs.put(f"{MODEL}/in/j", json.dumps({"instances": [BENIGN]}).encode())
    work(bench, "j")
    assert status(bench, "j")["status"] == "done"


@pytest.mark.parametrize("job", ["none", "%2e%2e", "..%2flive.json", "a" * 200])
def test_a_job_that_nobody_queued_is_404(job: str, bench: Bench) -> None:
    assert bench.send("GET", f"{JOBS}/{job}").status == 404


def test_a_ticket_is_of_one_job_alone(bench: Bench) -> None:
    stem = post(bench, {"upload": "csv"})["id"].removesuffix(".csv")
    assert status(bench, f"{stem}.csv")["status"] == "waiting"
    assert bench.send("GET", f"{JOBS}/{stem}.jsonl").status == 404
    assert bench.send("GET", f"{JOBS}/{stem}").status == 404
