"""What the pages show of a stack, also of one with damage in it, or that is down."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

from functions.core.registry.pointer import Pointer, Turn, begin, promote, promote_first, wait
from localcloud.commands.control import FILE
from sml.console.source import Source
from tests.sml.console.browser import Browser
from tests.sml.console.recorded import METRICS, capture, first, live, version
from tests.sml.staged import MODEL, Staged
from tests.sml.test_scheduled import SCHEDULE, WAITS, scheduled

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
LEADERBOARD = [
    {"id": "e1", "mean": 0.99, "std": 0.01, "metric": "roc_auc", "params": {"C": 0.1, "family": "logistic"}},
    {"id": "e0", "mean": 0.91, "std": 0.02, "metric": "roc_auc", "params": {"C": 9, "depth": 3}},
]
CHECKS = [
    {"name": "roc_auc", "value": 0.9, "bound": 0.97, "detail": "113 rows", "passed": False},
    {"name": "bytes", "value": 100, "bound": 1000, "detail": "", "passed": True},
]


def test_models_are_shown_with_traffic_last_run_and_what_waits(staged: Staged, browser: Browser) -> None:
    pointer = begin(first(), "v2", "bb02", 10, 60.0)
    live(staged, wait(pointer, Turn(run="cc03", version="v3", asked=0.0)))
    staged.run("bb02", status="canary")
    shown = browser.get("/")
    assert shown.status == 200
    for words in ("canary, 10 % of the callers", "90 % champion v1", "10 % challenger v2", "canary bb02", "v3"):
        assert words in shown.text
    assert "whales no version yet" in shown.text


def test_a_damaged_pointer_is_a_sentence_and_hides_no_other_model(staged: Staged, browser: Browser) -> None:
    staged.registry.put(f"{MODEL}/live.json", b"garbage")
    live(staged, first(), "whales")
    shown = browser.get("/")
    assert "registry verify --repair" in shown.text
    assert "100 % champion v1" in shown.text
    assert "registry verify --repair" in browser.get(f"/models/{MODEL}").text
    refused = browser.get(f"/models/{MODEL}/canary")
    assert (refused.status, "registry verify --repair" in refused.text) == (409, True)


ODD = (7, "text", [1], {"x": 1})


def test_one_damaged_part_of_a_card_is_a_sentence_on_its_page_which_shows_the_rest(
    staged: Staged, browser: Browser
) -> None:
    live(staged, first())
    mass = {"name": "mass", "kind": "number"}
    parts = ("metrics", "decision", "features", "params", "libraries", "target", "bytes")
    version(staged, "v2", features=[mass])
    for part, odd in itertools.product(parts, ODD):
        version(staged, "v1", **{"features": [mass], "params": {"c": 1}, part: odd})
        pages = [f"/models/{MODEL}/{end}" for end in ("", "versions/v1", "difference?version=v1&version=v2", "predict")]
        for page in pages:
            assert browser.get(page.rstrip("/")).status == 200, (page, part, odd)
        shown = browser.get(pages[1]).text
        assert ("How it was made" in shown, "SHA-256" in shown) == (True, True)
    version(staged, "v1", features=[mass, 7, {"name": []}], metrics={"holdout": 7})
    shown = browser.get(f"/models/{MODEL}/versions/v1").text
    assert "damaged, and not shown: features, metrics; `sml registry verify` says what else is" in shown
    assert "1 features" in shown


def test_the_form_takes_dates_texts_and_any_category_where_one_may_be_unseen(staged: Staged, browser: Browser) -> None:
    live(staged, first())
    version(staged, "v1", features=[
        {"name": "when", "kind": "date", "parts": ["year"], "missing": "reject"},
        {"name": "sent", "kind": "datetime", "parts": ["hour"], "missing": "keep"},
        {"name": "born", "kind": "date", "parts": ["year"], "format": "%d.%m.%Y"},
        {"name": "town", "kind": "category", "categories": ["Bern"], "unseen": "other"},
        {"name": "note", "kind": "text", "words": 4},
    ])  # fmt: skip
    staged.registry.put_json(f"{MODEL}/versions/v1/golden.json", {"inputs": [[2026.0] + [1.0] * 7]})
    shown = browser.get(f"/models/{MODEL}/predict?example=0").html
    for field in (
        '<input type="date" name="feature:when"', '<input type="datetime-local" name="feature:sent"',
        'name="feature:born" value="" placeholder="%d.%m.%Y"', '<option>Bern</option></datalist>',
        '<input type="text" name="feature:note"',
    ):  # fmt: skip
        assert field in shown
    assert "a row that it was tried with" not in shown


def test_one_damaged_check_or_experiment_or_golden_answer_hides_no_other(staged: Staged, browser: Browser) -> None:
    live(staged, first())
    version(staged, "v1", features=[{"name": "mass", "kind": "number"}])
    for odd in ODD:
        staged.run("aa01", checks=[*CHECKS, odd], rows=569, report={"reasons": [odd]})
        ranked = {"experiments": [*LEADERBOARD, {"id": "odd", "params": odd, "mean": "x", "trace": odd}]}
        staged.registry.put_json(f"{MODEL}/runs/aa01/leaderboard.json", ranked)
        staged.registry.put_json(f"{MODEL}/runs/aa01/plan.json", {"experiments": odd})
        staged.registry.put_json(f"{MODEL}/versions/v1/golden.json", {"inputs": odd})
        shown = browser.get(f"/models/{MODEL}/runs/aa01")
        assert shown.status == 200
        for words in ("damaged, and not shown: checks", "113 rows", "569", "e1", "odd"):
            assert words in shown.text
        assert browser.get("/runs").text.count("damaged") >= 1
        for page in ("predict", "predict?example=0"):
            assert browser.get(f"/models/{MODEL}/{page}").status == 200


def test_a_model_shows_its_versions_and_its_history_the_newest_first(staged: Staged, browser: Browser) -> None:
    for name in ("v1", "v2"):
        version(staged, name)
    live(staged, promote(begin(first(), "v2", "bb02", 10, 60.0), 90.0, "40 requests agree"))
    text = browser.get(f"/models/{MODEL}").text
    assert text.index("40 requests agree") < text.index("10 % of the callers") < text.index("the first version")
    assert "0.9" in text
    assert "roc_auc" in text
    html = browser.get(f"/models/{MODEL}").html
    assert "ask/rollback" in html
    assert "ask/promote" not in html
    assert html.count("ask/release") == 2  # the link and what htmx asks, for v1 alone


def test_a_training_that_waits_for_its_slot_and_one_that_did_say_why(staged: Staged, browser: Browser) -> None:
    assert "scheduled" not in browser.get(f"/models/{MODEL}").text
    scheduled(staged)
    assert f"scheduled {WAITS.replace('`', '')}" in browser.get(f"/models/{MODEL}").text.replace("`", "")
    staged.run("aa01", schedule=SCHEDULE)
    staged.run("bb02", schedule="damaged")
    assert f"in its slot 2026-12-01 02:00 UTC: {SCHEDULE['reason']}" in browser.get(f"/models/{MODEL}/runs/aa01").text
    assert "in its slot" not in browser.get(f"/models/{MODEL}/runs/bb02").text


def test_a_version_is_shown_by_its_card_and_two_by_what_differs(staged: Staged, browser: Browser) -> None:
    version(staged, "v1", features=[{"name": "mass", "kind": "number", "maximum": None}])
    version(staged, "v2", features=[{"name": "mass", "kind": "number", "maximum": 9.0}])
    shown = browser.get(f"/models/{MODEL}/versions/v2")
    assert all(words in shown.text for words in ("1 features", "mass", "to 9", "roc_auc", "0.8"))
    decision = {"for": "the greatest f1", "threshold": 0.31}
    version(staged, "v3", decision=decision, interval={"coverage": 0.9})
    shown = browser.get(f"/models/{MODEL}/versions/v3").text
    assert "decides from a probability of 0.31 on: the greatest f1" in shown
    assert "interval low to high, between which 0.9 of the truths are to lie" in shown
    assert "roc_auc 0.9 0.82 to 0.95 0.8" in shown
    difference = browser.get(f"/models/{MODEL}/difference?version=v1&version=v2")
    assert "feature mass a finite number; a row without it is refused a finite number, 9 or less" in difference.text
    assert "choose two versions" in browser.get(f"/models/{MODEL}/difference?version=v1").text


def test_runs_are_listed_by_model_and_status_the_newest_first(staged: Staged, browser: Browser) -> None:
    staged.run("aa01", created="2026-11-01T00:00:00+00:00", rows=569, version="v1", checks=CHECKS, metrics=METRICS)
    staged.run("bb02", created="2026-11-02T00:00:00+00:00", status="rejected", cause="3 columns are missing")
    staged.run("cc03", created="2026-11-03T00:00:00+00:00", status="refused", checks=CHECKS, model="whales")
    text = browser.get("/runs").text
    assert text.index("cc03") < text.index("bb02") < text.index("aa01")
    assert "roc_auc 0.9" in text
    assert "roc_auc: found 0.9, asked 0.97" in text
    one = browser.get(f"/runs?model={MODEL}&status=rejected").text
    assert "3 columns are missing" in one
    assert "aa01" not in one
    assert "cc03" not in one
    assert "No run is failed" in browser.get("/runs?status=failed").text
    assert browser.get("/runs?model=nobody").status == 409


def test_damaged_records_are_told_and_hide_no_others(staged: Staged, browser: Browser) -> None:
    staged.run("aa01")
    staged.registry.put(f"{MODEL}/runs/bb02/run.json", b"{")
    staged.run("cc03", status="refused", checks=[{"name": 1}])
    staged.run("dd04", metrics=7, checks="x")
    text = browser.get("/runs").text
    assert all(run in text for run in ("aa01", "bb02", "cc03", "dd04"))
    assert text.count("damaged") >= 3
    assert browser.get("/").status == 200
    for run in ("cc03", "dd04"):
        shown = browser.get(f"/models/{MODEL}/runs/{run}")
        assert "Traceback" not in shown.text
        assert shown.status in (200, 500)


def test_two_hundred_runs_are_a_small_page_at_once(staged: Staged, browser: Browser) -> None:
    for number in range(203):
        created = f"2026-11-01T00:{number // 60:02}:{number % 60:02}+00:00"
        cause = "the file names none of the expected columns, which are mass, length, depth, island, sex, year, ..."
        staged.run(f"{number:016x}", created=created, cause=cause, rows=569, version="f" * 16, source="p/in/data.csv")
    began = time.perf_counter()
    shown = browser.get("/runs")
    assert time.perf_counter() - began < 1
    assert len(shown.reply.body) < 300_000
    assert shown.html.count("<tr>") == 201
    assert "page 1 of 2" in shown.text
    assert browser.get("/runs?page=2").html.count("<tr>") == 4


def test_a_run_shows_its_data_checks_experiments_and_release(staged: Staged, browser: Browser) -> None:
    facts: dict[str, Any] = {
        "source": f"{MODEL}/incoming/a.csv",
        "rows": 569,
        "rejected_rows": 3,
        "dataset": "d1",
        "version": "v1",
        "warnings": ["roc_auc: 20 rows are too few to tell"],
        "split": {"said": "by customer: 113 of 569 rows kept out"},
        "series": {"said": "3 series; a row a day"},
        "metrics": {"naive": {"sales_lag_7": {"mae": 11.4}}},
        "weights": {"said": "by exposure: 569 rows weigh 300"},
        "suspects": [{"said": "sold is a copy of left"}],
        "failures": {"said": "1 of 3 experiments failed: 1 by ValueError: no"},
        "retraining": {"cause": "drift", "said": "size has drifted", "tables": []},
        "further": {"rows": 312, "rejected_rows": 2},
    }
    staged.run("aa01", checks=CHECKS, experiment="e1", **facts)
    staged.registry.put_json(f"{MODEL}/runs/aa01/leaderboard.json", {"experiments": LEADERBOARD})
    reasons = [{"column": "mass", "reason": "is text", "count": 3, "first_lines": [7, 9]}]
    staged.data.put_json(f"{MODEL}/datasets/d1/report.json", {"reasons": reasons, "cause": None})
    live(staged, first())
    shown = browser.get(f"/models/{MODEL}/runs/aa")
    for words in (
        "569, and 3 rejected",
        "because of drift: size has drifted; 310 labelled rows",
        "split by customer: 113 of 569 rows kept out",
        "series 3 series; a row a day",
        "naive forecast repeating sales_lag_7 mae 11.4",
        "weights by exposure: 569 rows weigh 300",
        "To look at sold is a copy of left",
        "failed 1 of 3 experiments failed: 1 by ValueError: no",
        "mass is text 3 7, 9",
        "roc_auc ",
        "not passed",
        "Too small to tell roc_auc: 20 rows",
        "e1 chosen",
        "the first version",
    ):
        assert words in shown.text
    assert shown.html.count('class="path row') == 2
    assert "sandbox" in shown.html


def test_a_rejected_run_says_why_in_its_own_words(staged: Staged, browser: Browser) -> None:
    report = {
        "cause": "too few rows",
        "reasons": [{"column": "a", "reason": "is text", "count": 1, "first_lines": [2]}],
    }
    staged.run("aa01", status="rejected", cause="too few rows", report=report)
    text = browser.get(f"/models/{MODEL}/runs/aa01").text
    assert "too few rows" in text
    assert "a is text 1 2" in text


def test_a_report_runs_nothing(staged: Staged, browser: Browser) -> None:
    staged.run("aa01", version="v1")
    staged.registry.put(f"{MODEL}/versions/v1/report.html", b"<script>alert(1)</script>")
    reply = browser.get(f"/models/{MODEL}/runs/aa01/report").reply
    policy = reply.headers["content-security-policy"]
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    staged.run("bb02", status="rejected")
    assert "has no report" in browser.get(f"/models/{MODEL}/runs/bb02/report").text


def test_runs_are_compared_by_what_differs_and_by_their_scores(staged: Staged, browser: Browser) -> None:
    staged.run("aa01", rows=500, metrics=METRICS)
    staged.run("bb02", rows=600, metrics={"holdout": {"roc_auc": 0.95, "log_loss": 0.1}})
    shown = browser.get(f"/compare?run={MODEL}/aa01&run={MODEL}/bb02")
    assert "rows 500 600" in shown.text
    assert "holdout log_loss 0.3 0.1 the best" in shown.text
    assert "holdout roc_auc 0.9 0.95 the best" in shown.text
    for asked in (f"run={MODEL}/aa01", f"run={MODEL}/aa01&run=whales/bb02", ""):
        assert "choose two runs or more of one model" in browser.get(f"/compare?{asked}").text


def test_resources_of_a_stack_that_is_up_here_are_listed_by_kind(staged: Staged, browser: Browser) -> None:
    text = browser.get("/resources").text
    assert "1 resources, deployed on this machine" in text
    assert "captures-1" in text
    assert "s3://models-1" in text
    assert staged.outputs["workflow"] in text


def test_logs_are_the_newest_lines_of_a_function(staged: Staged, browser: Browser) -> None:
    assert "predict has logged nothing yet" in browser.get("/logs").text
    staged.logged = [f"line {number} {HOSTILE}" for number in range(300)]
    shown = browser.get("/logs?function=labels")
    assert "line 299" in shown.text
    assert "line 99 " not in shown.text
    assert "<img" not in shown.html.partition("<main")[2]


def test_logs_can_be_asked_for_of_a_function_that_trains_one_model_alone(staged: Staged, browser: Browser) -> None:
    staged.outputs["functions"] = {**staged.outputs["functions"], "train-whales": {"name": "f", "logs": "group"}}
    html = browser.get("/logs").html
    assert "function=train-whales" in html or ">train-whales<" in html


def test_whatever_a_user_wrote_is_escaped(staged: Staged, source: Source, browser: Browser) -> None:
    del source
    now = time.time()
    name = "v<1>"
    facts: dict[str, Any] = {
        "status": HOSTILE,
        "cause": HOSTILE,
        "source": f"x/{HOSTILE}",
        "passed_over": [HOSTILE],
        "version": name,
    }
    check = {"name": HOSTILE, "value": HOSTILE, "bound": 1, "passed": True, "detail": HOSTILE}
    staged.run("aa01", checks=[check], report={"cause": HOSTILE, "reasons": [{"column": HOSTILE}]}, **facts)
    board = [{**one, "id": HOSTILE, "params": {HOSTILE: HOSTILE}, "metric": HOSTILE, "error": HOSTILE, "seconds": 1}
             for one in LEADERBOARD]  # fmt: skip
    staged.registry.put_json(f"{MODEL}/runs/aa01/leaderboard.json", {"experiments": board})
    version(staged, name, params={HOSTILE: HOSTILE}, features=[{"name": HOSTILE, "description": HOSTILE}])
    live(staged, begin(promote_first(Pointer(), name, HOSTILE, 0.0), HOSTILE, "bb02", 10, now - 9))
    capture(staged, now - 3, variant=HOSTILE, version=HOSTILE, ms=2.0, error=HOSTILE, request=HOSTILE)
    capture(staged, now - 4, variant=HOSTILE, version=HOSTILE, ms=2.0)
    for path in (
        "/",
        "/runs",
        f"/runs?status={HOSTILE}",
        f"/models/{MODEL}",
        f"/models/{MODEL}/runs/aa01",
        f"/models/{MODEL}/versions/v%3C1%3E",
        f"/models/{MODEL}/canary",
        f"/models/{MODEL}/requests",
        f"/models/{MODEL}/drift",
        f"/models/{MODEL}/drift?day={HOSTILE}",
        f"/models/{MODEL}/predict",
        f"/models/{HOSTILE}",
        f"/models/{MODEL}/ask/{HOSTILE}",
        f"/{HOSTILE}",
    ):
        inner = browser.get(path).html.partition("<main")[2]
        assert inner, path
        assert "<script" not in inner, path
        assert "<img" not in inner, path


def test_a_stack_that_went_down_is_a_sentence_and_is_found_again(
    staged: Staged, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sml.console.source.FRESH_SECONDS", 0)
    control = staged.state / FILE
    before = control.read_bytes()
    assert browser.get("/").status == 200
    control.unlink()
    for path in ("/", "/runs", f"/models/{MODEL}", "/resources", "/logs"):
        shown = browser.get(path)
        assert shown.status == 503
        assert "no stack is up here" in shown.text
        assert "Traceback" not in shown.text
    control.write_bytes(before)
    assert browser.get("/").status == 200


def test_a_store_that_refuses_is_a_sentence(staged: Staged, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    from functions.core.storage.objects import Forbidden

    def refuse(_: str) -> None:
        raise Forbidden("the token has expired")

    monkeypatch.setattr(staged.registry, "folders", refuse)
    shown = browser.get("/runs")
    assert (shown.status, "the store cannot be used: the token has expired" in shown.text) == (503, True)


def test_an_address_without_a_page_says_so(browser: Browser) -> None:
    assert browser.get("/nowhere").status == 404
    assert browser.post("/runs").status == 405
    assert "there are: penguins, whales" in browser.get("/models/nobody").text


def test_a_run_under_way_says_how_far_it_is_and_is_shown_again(staged: Staged, browser: Browser) -> None:
    staged.run("aa01", status="training", rows=569, rejected_rows=0)
    staged.registry.put_json(f"{MODEL}/runs/aa01/plan.json", {"experiments": [{}] * 8})
    failed = {"id": "e3", "status": "failed", "error": "Traceback\nValueError: <b>", "metrics": {}, "params": {"C": 1}}
    staged.registry.put_json(f"{MODEL}/runs/aa01/experiments/e3.json", failed)
    shown = browser.get(f"/models/{MODEL}/runs/aa01")
    assert "Experiments: 1 of 8" in shown.text
    assert "ValueError: <b>" in shown.text
    assert 'hx-trigger="every 3s, refresh"' in shown.html
    staged.run("aa01", status="promoted")
    assert "hx-trigger" not in browser.get(f"/models/{MODEL}/runs/aa01").html
