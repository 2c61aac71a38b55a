"""What the registry says, as commands list it."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from functions.core.registry.pointer import Pointer, advance, begin, promote_first
from tests.sml.staged import MODEL, Staged

LEADERBOARD = [
    {"id": "e1", "mean": 0.99, "std": 0.01, "metric": "roc_auc", "params": {"C": 0.1}, "seconds": 0.2, "bytes": 1171},
    {"id": "e0", "mean": 0.91, "std": 0.02, "metric": "roc_auc", "params": {"C": 9}, "seconds": 0.1, "bytes": 1171},
]
CHECKS = [
    {"name": "roc_auc", "value": 0.9, "bound": 0.97, "detail": "113 rows", "passed": False},
    {"name": "bytes", "value": 100, "bound": 1000, "detail": "", "passed": True},
]


def lines(text: str) -> list[str]:
    return [re.sub(r" {2,}", " | ", line.strip()) for line in text.splitlines()]


def live(staged: Staged, pointer: Pointer) -> None:
    staged.registry.put_json(f"{MODEL}/live.json", pointer.document())


def test_runs_are_listed_the_newest_first_with_why_they_are_what_they_are(staged: Staged) -> None:
    staged.run("aa01", created="2026-11-01T00:00:00+00:00", rows=569, source=f"{MODEL}/incoming/a.csv", version="v1")
    staged.run("bb02", created="2026-11-02T00:00:00+00:00", status="rejected", cause="3 columns\nare missing")
    staged.run("cc03", created="2026-11-03T00:00:00+00:00", status="refused", checks=CHECKS, model="whales")
    listed = lines(staged.sml("runs").out)
    assert [line.split(" | ")[0] for line in listed] == ["run", "cc03", "bb02", "aa01"]
    assert "roc_auc: found 0.9, asked 0.97 (113 rows)" in listed[1]
    assert listed[2].endswith("3 columns are missing")
    assert "| 569 |" in listed[3]
    assert [one["run"] for one in staged.sml("runs", MODEL, "--json").document] == ["bb02", "aa01"]


def test_a_list_says_how_many_it_leaves_out(staged: Staged) -> None:
    for number in range(5):
        staged.run(f"r{number}", created=f"2026-11-0{number + 1}T00:00:00+00:00")
    listed = lines(staged.sml("runs", "-n", "2").out)
    assert (len(listed), listed[-1]) == (4, "3 more: --limit 5")


def test_without_a_run_the_way_to_one_is_told(staged: Staged) -> None:
    said = staged.sml("runs", MODEL)
    assert said.out == f"there is no run yet: `sml upload {MODEL} FILE` starts one\n"
    assert staged.sml("leaderboard", MODEL).code == 1


def test_a_record_that_is_damaged_hides_no_other(staged: Staged) -> None:
    staged.run("aa01")
    staged.registry.put(f"{MODEL}/runs/bb02/run.json", b"{")
    staged.registry.put(f"{MODEL}/runs/cc03/plan.json", b"{}")
    assert [one["run"] for one in staged.sml("runs", "--json").document] == ["aa01"]


DAMAGED: tuple[Any, ...] = (
    {},
    {"run": "bb02"},
    {"run": "bb02", "status": "promoted", "checks": ["x"]},
    {"run": "bb02", "status": "promoted", "checks": None},
    {"run": "bb02", "status": "promoted", "checks": [{"name": "f1", "passed": True}]},
    {"run": "bb02", "status": "promoted", "metrics": [1]},
    {"run": "bb02", "status": "promoted", "metrics": {"holdout": {"f1": 1}, "holdout_intervals": {"f1": "x"}}},
    {"run": "bb02", "status": "promoted", "decision": {"for": 1}, "warnings": {}},
)


@pytest.mark.parametrize("record", DAMAGED, ids=str)
def test_a_record_that_lacks_what_records_have_is_told_as_damaged_by_every_command(
    record: Any, staged: Staged, tmp_path: Path
) -> None:
    staged.run("aa01")
    staged.registry.put_json(f"{MODEL}/runs/bb02/run.json", record)
    states = {one["run"]: one["status"] for one in staged.sml("runs", MODEL, "--json").document}
    assert states == {"aa01": "promoted", "bb02": "damaged"}
    for asked in (["runs"], ["show", MODEL, "bb"], ["leaderboard", MODEL, "bb"], ["compare", MODEL, "aa", "bb"]):
        said = staged.sml(*asked)
        assert (said.code, said.err) == (0, ""), asked
    assert staged.sml("export", "csv", MODEL).code == 0
    assert staged.sml("export", "mlflow", str(tmp_path / "m"), MODEL).code == 0


def test_a_mistake_of_the_program_is_a_sentence_and_its_trace_is_there_for_who_asks(
    staged: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    staged.run("aa01")

    def broken(*_: object) -> None:
        raise TypeError("an integer has no length")

    monkeypatch.setattr("sml.commands.runs._experiments", broken)
    said = staged.sml("leaderboard", MODEL)
    assert (said.code, len(said.err.splitlines())) == (1, 1)
    assert "SML_TRACE=1" in said.err
    monkeypatch.setenv("SML_TRACE", "1")
    with pytest.raises(TypeError):
        staged.sml("leaderboard", MODEL)


def test_what_a_terminal_would_obey_is_shown_and_not_sent_to_it(staged: Staged) -> None:
    staged.run("aa01", status="failed", cause="red \x1b[31m and \x07")
    assert "\x1b" not in staged.sml("runs").out + staged.sml("show", MODEL, "a").out


def test_a_run_is_shown_with_its_checks_and_experiments(staged: Staged) -> None:
    metrics = {
        "holdout": {"roc_auc": 0.9, "f1": 0.75},
        "holdout_intervals": {"roc_auc": [0.81, 0.95]},
        "asked": ["roc_auc"],
    }
    decision = {"for": "the greatest f1", "threshold": 0.31, "folds": {"precision": 0.8, "recall": 0.7}}
    told: dict[str, Any] = {
        "metrics": metrics,
        "decision": decision,
        "warnings": ["roc_auc: 20 rows are too few to tell"],
        "split": {"said": "by customer: 113 of 569 rows kept out"},
        "weights": {"said": "by exposure: 569 rows weigh 300"},
        "failures": {"said": "1 of 3 experiments failed: 1 by ValueError: no"},
        "suspects": [{"said": "sold is a copy of left"}, "odd"],
    }
    staged.run("aa01", status="refused", checks=CHECKS, experiment="e1", passed_over=["notes"], **told)
    staged.registry.put_json(f"{MODEL}/runs/aa01/leaderboard.json", {"experiments": LEADERBOARD})
    shown = staged.sml("show", MODEL, "a").out
    assert "  roc_auc  0.9       0.81 to 0.95\n  f1       0.75\n" in shown
    assert "from a probability of 0.31 on: the greatest f1; on the folds precision 0.8, recall 0.7" in shown
    assert "too small to tell\n  roc_auc: 20 rows are too few to tell" in shown
    assert "NOT PASSED roc_auc: found 0.9, asked 0.97 (113 rows)" in shown
    for words in (
        "notes",
        "split          by customer: 113 of 569 rows kept out",
        "weights        by exposure: 569 rows weigh 300",
        "look at\n  sold is a copy of left\n",
        "failures       1 of 3 experiments failed: 1 by ValueError: no",
    ):
        assert words in shown
    assert [line.split(" | ")[0] for line in lines(shown)][-3:] == ["experiment", "e1", "e0"]
    assert staged.sml("show", MODEL, "a", "--json").document["experiments"] == LEADERBOARD


def test_naive_forecasts_are_shown_beside_the_model(staged: Staged) -> None:
    naive = {"sales_lag_7": {"mae": 11.43, "rmse": 14.6}, "sales_lag_14": {"mae": 12.5}}
    metrics = {"holdout": {"mae": 5.83, "skill": 0.49}, "naive": naive}
    staged.run("aa01", status="registered", metrics=metrics, series={"said": "3 series; a row a day"})
    staged.registry.put_json(f"{MODEL}/runs/aa01/leaderboard.json", {"experiments": LEADERBOARD})
    beside = "  repeating sales_lag_7   mae 11.43  rmse 14.6\n  repeating sales_lag_14  mae 12.5\n"
    shown = staged.sml("show", MODEL, "a").out
    assert f"naive forecasts on the same rows\n{beside}" in shown
    assert "series         3 series; a row a day" in shown
    assert f"on the holdout\n  mae    5.83\n  skill  0.49\n{beside}" in staged.sml("leaderboard", MODEL, "a").out
    assert staged.sml("leaderboard", MODEL, "a", "--json").document == LEADERBOARD


def test_why_rows_were_rejected_is_shown_with_where(staged: Staged) -> None:
    reasons = [{"column": "mass", "reason": "is no number", "count": 12, "first_lines": [4, 9]}]
    report = {"cause": "12 of 20 rows are not acceptable", "reasons": reasons}
    staged.run("aa01", status="rejected", cause=report["cause"], report=report)
    shown = staged.sml("show", MODEL, "aa01").out
    assert "mass is no number: 12 rows, first at line 4" in shown


def test_what_experiments_failed_by_is_shown_once_with_the_lines_of_the_models_own_code(staged: Staged) -> None:
    staged.run("aa01", status="failed", cause="select: none of 3 experiments succeeded")
    for name, error in (("e0", "ValueError: no"), ("e1", "KeyError: x"), ("e2", "ValueError: no")):
        record = {
            "id": name,
            "status": "failed",
            "params": {},
            "error": error,
            "trace": [f"training.py:9, in fit: {error}"],
        }
        staged.registry.put_json(f"{MODEL}/runs/aa01/experiments/{name}.json", record)
    shown = staged.sml("show", MODEL, "aa01").out
    assert "e0, e2 failed: ValueError: no\n  training.py:9, in fit: ValueError: no\n" in shown
    assert shown.count("ValueError: no\n") == 2


def test_a_run_is_known_by_the_first_letters_of_its_id_if_no_other_begins_so(staged: Staged) -> None:
    staged.run("aa01")
    staged.run("aa02")
    said = staged.sml("show", MODEL, "aa")
    assert (said.code, said.err) == (1, f"sml: {MODEL} has 2 runs that begin with aa: aa01, aa02\n")
    said = staged.sml("show", MODEL, "z")
    assert (said.code, said.err) == (1, f"sml: {MODEL} has no run z: `sml runs {MODEL}` lists them\n")


def test_runs_are_compared_by_what_differs(staged: Staged) -> None:
    for run, score in (("aa01", 0.9), ("bb02", 0.95)):
        metrics = {"holdout": {"roc_auc": score}, "cross_validation": {}}
        staged.run(run, rows=100, experiment="e1", metrics=metrics, dataset="d" * 64)
        staged.registry.put_json(f"{MODEL}/runs/{run}/leaderboard.json", {"experiments": LEADERBOARD})
    compared = lines(staged.sml("compare", MODEL, "aa", "bb").out)
    assert "holdout roc_auc | 0.9 | 0.95" in compared
    assert any(line.startswith("alike: ") and "dataset" in line and "rows" in line for line in compared)
    assert staged.sml("compare", MODEL, "aa").err == "sml: two runs or more are compared\n"


def test_a_report_is_written_where_it_is_asked_for(staged: Staged) -> None:
    staged.run("aa01", version="v1")
    staged.registry.put(f"{MODEL}/versions/v1/report.html", b"<html>")
    file = staged.state / "report.html"
    assert staged.sml("report", MODEL, "-o", str(file)).out == f"{file}\n"
    assert file.read_bytes() == b"<html>"
    staged.run("bb02", status="rejected")
    assert "has no report" in staged.sml("report", MODEL, "bb02").err


def test_what_is_live_and_how_the_traffic_is_split_is_told(staged: Staged) -> None:
    assert "no version of penguins is live yet" in staged.sml("live", MODEL).out
    pointer = begin(promote_first(Pointer(), "v1", "aa01", 0.0), "v2", "bb02", 10, 60.0)
    live(staged, pointer)
    assert "90 % v1, 10 % v2" in staged.sml("live", MODEL).out
    assert "90 % v1, 10 % v2" in staged.sml("models").out
    assert "evidence" not in staged.sml("live", MODEL).out
    weighing = {"against": 0.4, "against_needed": 20.0, "in_favour": 3.1, "in_favour_needed": 20.0}
    staged.run("bb02", status="canary", rollout={"reason": "so far", "evidence": {"weighing": weighing}})
    for command in (("live", MODEL), ("show", MODEL, "bb02")):
        assert "against 0.4 of 20 needed, for 3.1 of 20 needed" in staged.sml(*command).out
    live(staged, advance(pointer, 50, 120.0, "50 requests agree"))
    history = lines(staged.sml("history", MODEL).out)
    assert [line.split(" | ")[1] for line in history] == ["event", "advanced", "canary", "promoted"]
    assert history[1].split(" | ")[3] == "50 % of the callers: 50 requests agree"


def test_a_pointer_that_is_damaged_is_told_with_the_command_that_mends_it(staged: Staged) -> None:
    staged.registry.put(f"{MODEL}/live.json", b"garbage")
    said = staged.sml("live", MODEL)
    assert (said.code, "registry verify --repair" in said.err) == (1, True)


def test_versions_are_listed_and_compared_by_their_cards(staged: Staged) -> None:
    for name, maximum in (("v1", None), ("v2", 9.0)):
        features = [{"name": "mass", "kind": "number", "maximum": maximum}]
        card = {"version": name, "created": f"2026-11-0{name[1]}T00:00:00", "run": "aa01", "features": features}
        metrics = {"holdout": {"f1": 0.5, "brier": 0.2}, "asked": ["f1", "roc_auc"]}
        staged.registry.put_json(f"{MODEL}/versions/{name}/card.json", {**card, "metrics": metrics})
    live(staged, promote_first(Pointer(), "v1", "aa01", 0.0))
    listed = lines(staged.sml("versions", MODEL).out)
    assert listed[0].split(" | ")[-1] == "f1", "what the model was asked for, and no other metric"
    assert [line.split(" | ")[:2] for line in listed[1:]] == [["v2", "2026-11-02 00:00:00"], ["v1", "live"]]
    difference = staged.sml("diff", MODEL, "v1", "v2", "--json").document
    assert {"name": "features.mass.maximum", "v1": None, "v2": 9.0} in difference
    assert staged.sml("diff", MODEL, "v1", "v9").code == 1


def test_two_versions_differ_in_words_and_no_digest_is_printed(staged: Staged) -> None:
    common = {"params": {"c": 1.0}, "libraries": {"numpy": "2.4.6"}, "bytes": 365, "format": 2}
    for number, (name, run) in enumerate((("v1", "aa01"), ("v2", "bb02"))):
        size = {"name": "size", "kind": "category", "categories": ["s", "m"], "missing": "keep"}
        features = [{"name": "mass", "kind": "number"}, *([size] if number else [])]
        card = {**common, "version": name, "run": run, "sha256": f"5ha{number}" * 16, "features": features}
        decision = {"for": "the greatest f1", "threshold": 0.3 + number / 10}
        ends = {"f1": [0.25 + number / 4, 0.75 + number / 8]}
        scores = {
            "holdout": {"f1": 0.5 + number / 4},
            "holdout_intervals": ends,
            "cross_validation": {"f1": {"mean": 0.4, "folds": [number]}},
        }
        interval = {"interval": {"coverage": 0.8 + number / 10}}
        more = interval | {
            "metrics": scores,
            "decision": decision,
            "target": {"classes": ["a", "b", "c"][: 2 + number]},
        }
        learned = {"libraries": {"numpy": f"2.4.{6 + number}"}, "params": {"c": 1.0, "depth": number + 3}}
        staged.registry.put_json(f"{MODEL}/versions/{name}/card.json", {**card, **more, **learned})
        digests = dict.fromkeys(("dataset", "code"), f"d1ge5t{number}") | {"contract": "c"}
        staged.run(run, version=name, rows=100 + number, source=f"{MODEL}/incoming/{number}.csv", **digests)
    said = staged.sml("diff", MODEL, "v1", "v2").out
    assert lines(said) == [
        "v1 | v2",
        "run | aa01 | bb02",
        "from | penguins/incoming/0.csv | penguins/incoming/1.csv",
        "rows | 100 | 101",
        "holdout f1 | 0.5 | 0.75",
        "holdout f1, 95 % | 0.25 to 0.75 | 0.5 to 0.875",
        "decides | from a probability of 0.3 on: the greatest f1 | from a probability of 0.4 on: the greatest f1",
        "interval | low to high, between which 0.8 of the truths are to lie | low to high, between which 0.9 of the"
        " truths are to lie",
        "parameter depth | 3 | 4",
        "feature size | one of s, m; may be missing",
        "classes | a, b | a, b, c",
        "package numpy | 2.4.6 | 2.4.7",
        "data | another",
        "training code | another",
    ]
    assert "sha256" in {one["name"] for one in staged.sml("diff", MODEL, "v1", "v2", "--json").document}
    assert staged.sml("diff", MODEL, "v1", "v1").out == "they do not differ\n"
    staged.registry.put(f"{MODEL}/runs/bb02/run.json", b"{")
    assert "parameter depth" in staged.sml("diff", MODEL, "v1", "v2").out


def test_versions_of_a_number_differ_in_its_unit_and_in_what_was_used_for_them(staged: Staged) -> None:
    for name, unit, seconds in (("v1", "mm", 3.5), ("v2", "cm", 7.0)):
        usage = {"seconds": seconds, "gb_seconds": seconds, "usd": 0.01, "function": "train"}
        card = {"version": name, "target": {"name": "length", "unit": unit}, "usage": usage}
        staged.registry.put_json(f"{MODEL}/versions/{name}/card.json", card)
    assert lines(staged.sml("diff", MODEL, "v1", "v2").out) == [
        "v1 | v2",
        "unit | mm | cm",
        "used for it, seconds | 3.5 | 7",
    ]


@pytest.mark.parametrize("width", ["40", "80"])
def test_a_narrow_terminal_gets_all_of_it(width: str, staged: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", width)
    monkeypatch.setattr("sml.output.PIPED", int(width))
    staged.run("aa01", rows=569, source=f"{MODEL}/incoming/a.csv")
    said = "".join(staged.sml("runs").out.split())
    assert all(word in said for word in ("aa01", "promoted", "569", "a.csv"))


def test_two_hundred_runs_are_one_list(staged: Staged) -> None:
    for number in range(200):
        staged.run(f"{number:04x}", created=f"2026-11-01T00:{number // 60:02}:{number % 60:02}+00:00")
    assert len(json.loads(staged.sml("runs", "-n", "1000", "--json").out)) == 200


def exported(staged: Staged) -> None:
    staged.run("aa01", experiment="e1", selected="2026-11-30T04:44:09+00:00", metrics={"holdout": {"f1": 0.5}})
    staged.registry.put_json(f"{MODEL}/runs/aa01/leaderboard.json", {"experiments": LEADERBOARD})
    staged.run("bb02", status="rejected")


def test_runs_are_written_as_mlflow_keeps_them_and_once_more_the_same(staged: Staged, tmp_path: Path) -> None:
    exported(staged)
    folder = tmp_path / "mlruns"
    assert staged.sml("export", "mlflow", str(folder), MODEL, "--json").document["runs"] == 4
    (experiment,) = folder.iterdir()
    assert yaml.safe_load((experiment / "meta.yaml").read_text())["name"] == MODEL
    metas = {path.parent: yaml.safe_load(path.read_text()) for path in experiment.glob("*/meta.yaml")}
    assert sorted(meta["run_name"] for meta in metas.values()) == ["e0", "e1", f"{MODEL} aa01", f"{MODEL} bb02"]
    by_name = {meta["run_name"]: path for path, meta in metas.items()}
    best, run = by_name["e1"], by_name[f"{MODEL} aa01"]
    assert (best / "tags" / "mlflow.parentRunId").read_text() == metas[run]["run_id"]
    assert (best / "metrics" / "roc_auc").read_text().split()[1:] == ["0.99", "0"]
    assert (best / "params" / "C").read_text() == "0.1"
    assert (run / "metrics" / "holdout_f1").read_text().split()[1] == "0.5"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    staged.sml("export", "mlflow", str(folder), MODEL)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_every_experiment_is_a_line_of_csv(staged: Staged, tmp_path: Path) -> None:
    exported(staged)
    written = list(csv.DictReader(staged.sml("export", "csv", MODEL).out.splitlines()))
    assert [(row["run"], row["experiment"], row["parameter C"]) for row in written] == [
        ("aa01", "e1", "0.1"),
        ("aa01", "e0", "9"),
        ("bb02", "", ""),
    ]
    file = tmp_path / "runs.csv"
    assert staged.sml("export", "csv", MODEL, "-o", str(file)).out == f"3 experiments -> {file}\n"
