"""The way of a person with `sml`, on a stack that is up."""

from __future__ import annotations

import json
from pathlib import Path

from tests.loop import versions
from tests.loop.running import MODEL, Running, csv_of, rows


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
