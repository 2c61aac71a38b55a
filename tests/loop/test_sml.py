"""The way of a person with `sml`, on a stack that is up."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tests.loop import versions
from tests.loop.running import MODEL, Running, csv_of, rows

EXPERIMENT = "serverless_ml.experiment"


def test_a_dataset_becomes_predictions_by_commands_alone(running: Running, tmp_path: Path) -> None:
    sml = running.sml
    table = tmp_path / "by-hand.csv"
    table.write_bytes(csv_of(rows(40, 330)))
    uploaded = sml("upload", MODEL, str(table), "--wait", "--json")
    record = uploaded.document
    assert (uploaded.code, record["source"]) == (int(record["status"] != "promoted"), f"{MODEL}/incoming/by-hand.csv")
    told = [line.split(maxsplit=1)[0] for line in uploaded.err.splitlines()]
    assert told[:2] == ["upload", "prepare"]
    assert {"experiments", "gate", record["status"]} <= set(told)
    run, version = record["run"], record["version"]
    assert run in [one["run"] for one in sml("runs", MODEL, "--json").document]
    assert version in [one["version"] for one in sml("versions", MODEL, "--json").document]
    shown = sml("show", MODEL, run, "--json").document
    assert shown["experiments"][0]["id"] == record["experiment"]
    [trace] = sml("trace", run, "--json").document["traces"]
    names = {span["name"] for span in trace["spans"]}
    assert names >= {"training", "prepare", "train", "select", "rollout release"}, sml("trace", run).out
    assert shown["experiments"][0]["id"] in {span["attributes"].get(EXPERIMENT) for span in trace["spans"]}
    report = tmp_path / "report.html"
    assert sml("report", MODEL, run, "-o", str(report)).code == 0
    assert report.read_bytes().startswith(b"<!doctype html>")

    right = running.register(versions.right())
    running.put_live(right, previous=version)
    asked = sml("predict", MODEL, str(table), "--limit", "3", "--json")
    assert (asked.code, len(asked.document)) == (0, 3)
    by_pipe = sml("predict", MODEL, "--json", given=json.dumps({"instances": rows(40, 41)}))
    assert by_pipe.document[0]["label"] == asked.document[0]["label"]
    wrong = sml("predict", MODEL, "--row", "mean_radius=-1")
    assert (wrong.code, "mean_radius" in wrong.err) == (1, True)

    answers = tmp_path / "answers.jsonl"
    submitted = sml("job", "submit", MODEL, str(table), "-o", str(answers), "--json")
    assert (submitted.code, submitted.document["status"], submitted.document["rows"]) == (0, "done", 290)
    assert len(answers.read_bytes().splitlines()) == 290
    assert sml("job", "get", MODEL, submitted.document["id"], "--json").document["status"] == "done"
    assert sml("job", "list", MODEL).code == 0

    back = sml("rollback", MODEL, "--reason", "tried", "--json")
    assert (back.code, back.document["champion"], back.document["before"]) == (0, version, right)
    status = sml("status", "--json")
    assert (status.code, status.document["models"][MODEL]) == (0, version)
    assert sml("logs", "predict", "-n", "5").out.count("\n") == 5


def test_what_a_caller_began_goes_on_behind_the_queue_in_its_trace(running: Running) -> None:
    sml = running.sml
    running.reset()
    trace_id, parent = os.urandom(16).hex(), os.urandom(8).hex()
    carried = {"traceparent": f"00-{trace_id}-{parent}-01", "tracestate": "vendor=1"}
    queued = running.post(f"/v2/models/{MODEL}/jobs", {"instances": rows(40, 41)}, **carried)[2]["id"]
    running.wait(lambda: sml("job", "get", MODEL, queued, "--json").document["status"] == "done", "the traced job")

    def traced() -> list[Any] | None:
        said = sml("trace", trace_id, "--json")
        spans = said.document["traces"][0]["spans"] if said.code == 0 else []
        return spans if len(spans) > 1 else None

    request, *messages = running.wait(traced, "the spans of the job")
    assert (request["parent_span_id"], request["attributes"]["http.response.status_code"]) == (parent, 202)
    assert {(one["name"], one["parent_span_id"]) for one in messages} == {("process jobs", request["span_id"])}
    lines = [one["message"] for one in sml("logs", "predict", "--json").document if trace_id in str(one)]
    linked = {line.get("logging.googleapis.com/trace", "").rpartition("/")[2] for line in lines}
    assert linked == ({trace_id} if running.stack.outputs["data_url"].startswith("gs://") else {""})
