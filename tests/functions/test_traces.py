"""A trace goes from a request to its job, its captured row, its webhook and its answer, in every function."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from functions.adapters.aws.environment import cloud_trace, traced_fields
from functions.adapters.aws.http import request_of
from functions.adapters.gcp.environment import traced_fields as gcp_fields
from functions.core.jobs.job import Job
from functions.core.jobs.telling import Telling
from functions.core.jobs.tickets import Tickets
from functions.core.jobs.webhook import Webhook
from functions.core.jobs.worker import Worker
from functions.core.runtime.consumer import Consumer
from functions.core.runtime.log import Log
from functions.core.runtime.spans import Span
from functions.core.watching.capture_file import written
from functions.core.watching.capture_requests import records_of
from tests.functions.serving import BENIGN, MODEL, Bench, event, said

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEADERS = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=1"}
ROOT = "1-5759e988-bd862e3fe1be46a994272793"


@pytest.fixture(scope="module")
def bench() -> Bench:
    bench = Bench()
    bench.champion()
    return bench


def ask(bench: Bench, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
    return bench.send("POST", path, body, headers=HEADERS if headers is None else headers)


def test_a_request_answers_in_its_callers_trace_and_so_does_all_that_it_leaves(bench: Bench) -> None:
    response = ask(bench, "/predict", {"instances": [BENIGN]})
    line = bench.logged("request")[-1]
    assert (line["trace_id"], line["parent_span_id"], line["trace_state"]) == (TRACE, PARENT, "vendor=1")
    assert response.headers["traceresponse"] == f"00-{TRACE}-{line['span_id']}-01"
    bench.clock.forward(2)
    bench.predict(BENIGN)
    bench.clock.forward(2)
    bench.predict(BENIGN)
    traced = [record for record in bench.captured() if record["trace_id"] == TRACE]
    assert [record["request"] for record in traced] == [line["request_id"]]


def test_a_request_without_a_trace_begins_one(bench: Bench) -> None:
    answers = [ask(bench, "/predict", {"instances": [BENIGN]}, headers={}) for _ in range(2)]
    traces = [answer.headers["traceresponse"][3:35] for answer in answers]
    lines = bench.logged("request")[-2:]
    assert [line["trace_id"] for line in lines] == traces
    assert len({*traces}) == 2
    assert all("parent_span_id" not in line for line in lines)


def test_a_refusal_names_its_trace_and_a_fault_of_ours_does_in_its_sentence(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = said(ask(bench, "/predict", {"instances": []}))
    assert (refused["status"], refused["trace_id"]) == (400, TRACE)
    monkeypatch.setattr("functions.core.api.service.instances_of", lambda _: 1 / 0)
    broken = said(ask(bench, "/predict", {"instances": [BENIGN]}))
    ids = f"request {broken['request_id']}, trace {TRACE}"
    assert (broken["status"], broken["detail"]) == (500, f"something went wrong here; {ids}")
    assert bench.logged("request failed")[-1]["trace_id"] == TRACE


def test_a_job_goes_on_in_the_trace_of_the_request_that_submitted_it(bench: Bench) -> None:
    job = Job(model=MODEL, name=said(ask(bench, f"/v2/models/{MODEL}/jobs", {"instances": [BENIGN]}))["id"])
    asked = bench.logged("request")[-1]
    ticket = Tickets(bench.jobs, MODEL).find(job)
    assert ticket is not None
    assert ticket.trace == {"traceparent": f"00-{TRACE}-{asked['span_id']}-01", "tracestate": "vendor=1"}
    lines, sent = io.StringIO(), []
    log, caches = Log(stream=lines), {MODEL: bench.service._predictors[MODEL].model_cache}
    webhook = Webhook("https://a/b", "x" * 24, send=lambda _, headers, __: sent.append(headers) or 200)
    worker = Worker(bench.jobs, caches, log, attempts=3)
    told = Telling(worker, webhook, bench.jobs, caches, log, attempts=3)
    assert Consumer(work=told.work, log=log).take("m-1", job.input, str)
    found = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert {line["event"]: line["trace_id"] for line in found} == {"job": TRACE, "message": TRACE}
    assert found[-1]["parent_span_id"] == asked["span_id"]
    assert sent[0]["traceparent"] == f"00-{TRACE}-{found[-1]['span_id']}-01"
    assert sent[0]["tracestate"] == "vendor=1"


def test_a_file_of_captures_keeps_the_trace_and_one_of_before_has_none() -> None:
    record = {"request": "r", "version": "v", "time": 1.0, "error": "failed", "status": 500}
    kept = [next(records_of(written([{**record, **more}], None), "v")) for more in ({"trace_id": TRACE}, {})]
    assert [one.get("trace_id") for one in kept] == [TRACE, None]


def test_on_aws_a_trace_that_nobody_began_is_that_of_xray_and_one_that_it_keeps_is_named_in_the_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = ROOT.removeprefix("1-").replace("-", "")
    assert cloud_trace(f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=0;Lineage=1:a:0") == (own, "")
    assert cloud_trace(f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1") == (own, ROOT)
    assert [cloud_trace(text) for text in ("", "Root=1-", "Root=2-x", f"Self={ROOT}", f"Root={ROOT[:-1]}ü")] == [
        ("", "")
    ] * 5
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={ROOT};Sampled=1")
    span = request_of(event("api_predict")).span
    assert span is not None
    assert (span.trace_id == own, span.cloud_id) == (False, "")
    monkeypatch.setattr("functions.adapters.aws.environment._XRAY", True)
    span = request_of(event("api_predict")).span
    assert span is not None
    assert (span.trace_id, traced_fields(span)) == (own, {"xray_trace_id": ROOT})
    monkeypatch.delenv("_X_AMZN_TRACE_ID")
    span = request_of({**event("api_predict"), "headers": HEADERS}).span
    assert span is not None
    assert (span.trace_id, traced_fields(span)) == (TRACE, {})


def test_on_gcp_a_line_has_the_fields_by_which_the_cloud_links_it() -> None:
    span = Span.received(HEADERS["traceparent"])
    assert gcp_fields("p-1", span) == {
        "logging.googleapis.com/trace": f"projects/p-1/traces/{TRACE}",
        "logging.googleapis.com/spanId": span.span_id,
        "logging.googleapis.com/trace_sampled": True,
    }
    assert gcp_fields("", span) == {}
