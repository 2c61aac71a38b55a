"""`sml trace`: what one request had done, found by any of its names, and as a collector reads it."""

from __future__ import annotations

import base64
import json
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import opentelemetry.semconv._incubating.attributes as incubating
import opentelemetry.semconv.attributes as stable
import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.trace.v1 import trace_pb2
from opentelemetry.semconv.schemas import Schemas

from functions.core.runtime.spans import of_execution
from sml.aws.account import _pattern
from sml.gcp.account import Account as Gcp
from sml.trace.names import OWN, SCHEMA
from tests.sml.staged import Staged
from tests.sml.test_logs import VIEW, Logging, logging
from tests.sml.traced import EXECUTION, PARENT, RUN, TRACE, of_a_job, of_a_run

__all__ = ["logging"]
SECRET = "a text that is nobody's business"


@pytest.fixture
def staged(staged: Staged) -> Staged:
    staged.outputs["functions"] |= {name: {"logs": "x"} for name in ("prepare", "train", "select", "rollout")}
    staged.logs = {name: [] for name in staged.outputs["functions"]}
    return staged


def spans_in(staged: Staged, *arguments: str) -> list[dict[str, Any]]:
    [trace] = staged.sml("trace", *arguments, "--json").document["traces"]
    return trace["spans"]


def test_a_job_is_one_tree_by_whatever_name_it_is_asked_for(staged: Staged) -> None:
    logs, job = of_a_job()
    staged.logs |= logs
    newer = f"01-{TRACE}-{PARENT}-01-what.follows"
    found = [spans_in(staged, name) for name in (TRACE, f"00-{TRACE}-{PARENT}-01", newer, job, TRACE.upper())]
    assert found == [found[0]] * 5
    request, message = found[0]
    assert (request["name"], request["function"], request["parent_span_id"]) == (
        "POST /v2/models/{model}/jobs",
        "predict",
        PARENT,
    )
    assert (message["name"], message["function"], message["parent_span_id"]) == (
        "process jobs",
        "jobs",
        request["span_id"],
    )
    assert (message["coldstart_ms"], request["coldstart_ms"]) == (391.0, None)
    assert message["attributes"]["serverless_ml.job"] == job
    shown = staged.sml("trace", TRACE).out.splitlines()
    assert shown[0].startswith(f"trace {TRACE}  2 spans of 2 functions, ")
    assert ["  POST /v2/" in shown[1], "    process jobs" in shown[2], "cold start 391 ms" in shown[2]] == [True] * 3


def test_the_trees_of_what_failed_before_are_found_by_the_name_of_the_message(staged: Staged) -> None:
    staged.logs |= of_a_job(attempts=2)[0]
    traces = staged.sml("trace", "m-1", "--json").document["traces"]
    assert [len(trace["spans"]) for trace in traces] == [2, 1]
    failed = traces[1]["spans"][0]
    assert (failed["error"], [event["name"] for event in failed["events"]]) == ("TimeoutError", ["message failed"])
    shown = staged.sml("trace", "m-1").out
    assert "! message failed: TimeoutError" in shown
    assert SECRET not in shown + json.dumps(traces)


def test_a_run_is_the_tree_of_its_execution_with_each_experiment(staged: Staged) -> None:
    staged.logs |= of_a_run()
    for name in (RUN, EXECUTION, of_execution(EXECUTION)[0]):
        whole, *steps = spans_in(staged, name)
        assert (whole["name"], whole["function"], whole["attributes"]["serverless_ml.run"]) == ("training", None, RUN)
        assert {step["parent_span_id"] for step in steps} == {whole["span_id"]}
        assert [step["name"] for step in steps] == ["prepare", "train", "train", "select", "rollout release"]
    assert [step["attributes"].get("serverless_ml.experiment") for step in steps[1:3]] == ["c4ca4238", "c81e728d"]
    assert [step["error"] for step in steps] == [None, None, "ValueError", None, None]
    shown = staged.sml("trace", RUN).out
    assert ("experiment c81e728d" in shown, "ValueError" in shown, SECRET in shown) == (True, True, False)


def test_a_run_in_somebodys_trace_has_no_root_of_its_own(staged: Staged) -> None:
    staged.logs |= of_a_run({"traceparent": f"00-{TRACE}-{PARENT}-01"})
    assert {span["parent_span_id"] for span in spans_in(staged, RUN)} == {PARENT}


def test_what_nobody_logged_is_a_sentence(staged: Staged) -> None:
    said = staged.sml("trace", "nothing")
    assert (said.code, said.out) == (1, "")
    assert "accepted: the whole id of a trace, a request, a job, a run or an execution" in said.err


def test_no_id_at_all_is_told_as_such(staged: Staged) -> None:
    said = staged.sml("trace", " ")
    assert (said.code, said.err.startswith("sml: an id is missing; accepted: the whole id of a trace")) == (1, True)


def test_a_stack_of_an_older_release_is_told_what_it_lacks(staged: Staged) -> None:
    del staged.outputs["functions"]
    said = staged.sml("trace", TRACE)
    assert (said.code, "name no functions, as an older release deployed it" in said.err) == (1, True)


def read(file: Path) -> trace_pb2.TracesData:
    """Return what a collector reads: OTLP writes ids as hexadecimal digits, protobuf's own JSON as Base64."""

    def ids(value: Any) -> Any:
        if isinstance(value, list):
            return [ids(one) for one in value]
        if not isinstance(value, dict):
            return value
        return {
            key: base64.b64encode(bytes.fromhex(one)).decode()
            if key in ("traceId", "spanId", "parentSpanId")
            else ids(one)
            for key, one in value.items()
        }

    return ParseDict(ids(json.loads(file.read_text(encoding="utf-8"))), trace_pb2.TracesData())


def test_the_file_is_otlp_and_its_names_are_those_of_the_conventions(staged: Staged, tmp_path: Path) -> None:
    logs, job = of_a_job()
    staged.logs |= {**of_a_run(), **logs}
    names: set[str] = set()
    for wanted, count in ((job, 2), (RUN, 6)):
        said = staged.sml("trace", wanted, "--otlp", str(tmp_path / "spans.json"))
        assert said.err == f"{count} spans written to {tmp_path / 'spans.json'}\n"
        data = read(tmp_path / "spans.json")
        found = [(of.resource, span) for of in data.resource_spans for one in of.scope_spans for span in one.spans]
        assert len(found) == count
        assert {of.schema_url for of in data.resource_spans} == {SCHEMA}
        for resource, span in found:
            assert (len(span.trace_id), len(span.span_id), span.flags & 1) == (16, 8, 1)
            assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano
            names |= {pair.key for pair in (*resource.attributes, *span.attributes)}
            names |= {pair.key for event in span.events for pair in event.attributes}
        [failed] = [span for _, span in found if span.status.code] or [None]
        assert (failed is None) == (wanted == job)
    assert SECRET not in (tmp_path / "spans.json").read_text(encoding="utf-8")
    unknown = {name for name in names if not name.startswith((f"{OWN}.", "http.response.header."))} - conventions()
    assert not unknown
    assert {"faas.coldstart", "http.route", "messaging.system", "cloud.platform", "faas.name"} <= names


def conventions() -> set[str]:
    """Every attribute that the conventions of the version know that is pinned in the page, by their own package."""
    assert Schemas.V1_44_0.value == SCHEMA
    modules = [
        import_module(f"{package.__name__}.{one.name}")
        for package in (incubating, stable)
        for one in iter_modules(package.__path__)
    ]
    return {value for module in modules for value in vars(module).values() if isinstance(value, str)}


def test_what_is_not_sampled_is_shown_and_not_exported(staged: Staged, tmp_path: Path) -> None:
    staged.logs |= of_a_job(flags="00")[0]
    said = staged.sml("trace", TRACE, "--otlp", str(tmp_path / "spans.json"))
    assert said.out.splitlines()[-1] == "  not sampled, as its caller asked: --otlp leaves it out"
    assert said.err == f"0 spans written to {tmp_path / 'spans.json'}; 2 not sampled, and left out\n"
    assert read(tmp_path / "spans.json") == trace_pb2.TracesData()


def test_each_cloud_is_asked_for_the_lines_that_have_a_field(logging: Logging) -> None:
    fields = (("trace_id", TRACE), ("run", 'a"b'))
    assert _pattern(None, fields) == f'{{ ($.trace_id = "{TRACE}") || ($.run = "a\\"b") }}'
    assert _pattern(None, ()) == ""
    Gcp().logged(VIEW, since=1_700_000_000, level=None, most=1, fields=fields)
    assert logging.asked[0][2]["filter"].endswith(f' AND (jsonPayload.trace_id="{TRACE}" OR jsonPayload.run="a\\"b")')
