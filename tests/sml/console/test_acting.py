"""What the pages do: as the commands do it, after a dialog that says what will happen."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from functions.core.registry.pointer import Pointer, begin, promote, promote_first
from sml.console.web import File
from sml.mistake import Mistake
from tests.sml.console.browser import Browser
from tests.sml.console.conftest import Clients
from tests.sml.staged import MODEL, Staged

FEATURES = [
    {"name": "mass", "kind": "number", "minimum": 0.0, "maximum": 9.5, "missing": "reject"},
    {"name": "year", "kind": "integer", "missing": "keep"},
    {"name": "island", "kind": "category", "categories": ["Biscoe", "Dream"], "missing": "reject"},
    {"name": "tagged", "kind": "boolean", "missing": False},
]


def canary(staged: Staged) -> None:
    pointer = begin(promote_first(Pointer(), "v1", "aa01", 0.0), "v2", "bb02", 10, 60.0)
    staged.registry.put_json(f"{MODEL}/live.json", pointer.document())


def history(staged: Staged) -> list[dict[str, Any]]:
    return staged.sml("history", MODEL, "--json").document


@pytest.mark.parametrize(
    ("action", "words", "said"),
    [
        ("promote", "Version v2 answers every caller of penguins from now on", f"{MODEL} @ v2 is live (before: v1)"),
        ("withdraw", "The release of v2 ends, and v1 answers every caller", f"{MODEL} @ v1 answers every caller"),
    ],
)
def test_a_canary_is_ended_after_a_word_on_what_will_happen(
    action: str, words: str, said: str, staged: Staged, browser: Browser
) -> None:
    canary(staged)
    assert words in browser.get(f"/models/{MODEL}/ask/{action}").text
    assert len(history(staged)) == 2
    done = browser.post(f"/models/{MODEL}/do/{action}", {"reason": "seen <b>enough</b>"})
    assert (done.status, said in done.text) == (200, True)
    assert history(staged)[0]["reason"] == "seen <b>enough</b>"
    again = browser.post(f"/models/{MODEL}/do/{action}")
    assert (again.status, "no release is under way" in again.text) == (409, True)
    assert "no release is under way" in browser.get(f"/models/{MODEL}/ask/{action}").text


def test_a_version_is_released_by_the_workflow(staged: Staged, browser: Browser) -> None:
    canary(staged)
    for name in ("v1", "v3"):
        staged.registry.put_json(f"{MODEL}/versions/{name}/card.json", {"version": name})
    assert "releases version v3" in browser.get(f"/models/{MODEL}/ask/release?of=v3").text
    assert "is live already" in browser.get(f"/models/{MODEL}/ask/release?of=v1").text
    assert "has begun" in browser.post(f"/models/{MODEL}/do/release", {"of": "v3"}).text
    assert staged.started == [{"model": MODEL, "version": "v3"}]


def test_a_rollback_says_what_it_goes_back_to_and_what_does_not_come(
    staged: Staged, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary(staged)
    assert "no earlier version" in browser.get(f"/models/{MODEL}/ask/rollback").text
    pointer = promote(begin(promote_first(Pointer(), "v1", "aa01", 0.0), "v2", "bb02", 10, 1.0), 2.0, "good")
    staged.registry.put_json(f"{MODEL}/live.json", pointer.document())
    asked = browser.get(f"/models/{MODEL}/ask/rollback").text
    assert "Version v1 answers every caller of penguins again, in place of v2" in asked
    monkeypatch.setattr("sml.console.pages.actions.ACTIONS", _impatient())
    done = browser.post(f"/models/{MODEL}/do/rollback")
    assert (done.status, "is not in the history after 0 s" in done.text) == (409, True)
    assert staged.started == [{"model": MODEL, "action": "rollback", "reason": "by hand"}]


def _impatient() -> dict[str, Any]:
    from dataclasses import replace

    from sml.console.pages.actions import ACTIONS

    return {**ACTIONS, "rollback": replace(ACTIONS["rollback"], more=(("timeout", 0.0),))}


def test_training_begins_with_the_newest_dataset(staged: Staged, browser: Browser) -> None:
    assert "has no dataset yet" in browser.get(f"/models/{MODEL}/ask/retrain").text
    staged.data.put(f"{MODEL}/incoming/a.csv", b"x")
    assert f"{MODEL}/incoming/a.csv" in browser.get(f"/models/{MODEL}/ask/retrain").text
    assert "is trained on" in browser.post(f"/models/{MODEL}/do/retrain").text
    assert staged.started == [{"model": MODEL}]


def test_what_a_dialog_asks_for_is_done_once_however_often_it_is_sent(staged: Staged, browser: Browser) -> None:
    staged.data.put(f"{MODEL}/incoming/a.csv", b"x")
    three = threading.Barrier(3)

    def sent(asked: dict[str, str]) -> str:
        three.wait()
        return browser.post(f"/models/{MODEL}/do/retrain", asked).text

    for dialog in range(1, 3):
        form = browser.get(f"/models/{MODEL}/ask/retrain").html
        [asked] = re.findall(r'name="once" value="([^"]+)"', form)
        with ThreadPoolExecutor(3) as clicks:
            said = list(clicks.map(sent, [{"once": asked}] * 3))
        assert len(set(said)) == 1
        assert "is trained on" in said[0]
        assert staged.started == [{"model": MODEL}] * dialog


def test_an_action_that_is_not_there_or_of_no_model_is_told(browser: Browser) -> None:
    assert "there is no action explode" in browser.get(f"/models/{MODEL}/ask/explode").text
    assert "there is no action explode" in browser.post(f"/models/{MODEL}/do/explode").text
    assert "there is no model nobody" in browser.post("/models/nobody/do/retrain").text


def live(staged: Staged, **card: Any) -> None:
    staged.registry.put_json(f"{MODEL}/live.json", promote_first(Pointer(), "v1", "aa01", 0.0).document())
    staged.registry.put_json(f"{MODEL}/versions/v1/card.json", {"version": "v1", **card})


def test_the_form_is_what_the_card_accepts(staged: Staged, browser: Browser) -> None:
    assert "No version of penguins is live yet" in browser.get(f"/models/{MODEL}/predict").text
    live(staged, features=FEATURES)
    inputs = {"inputs": [[3.25, 2026, 1, 0], [4.0, None, 0, 1]]}
    staged.registry.put_json(f"{MODEL}/versions/v1/golden.json", inputs)
    html = browser.get(f"/models/{MODEL}/predict").html
    assert 'name="feature:mass" value="" step="any" min="0.0" max="9.5" required' in html
    assert 'name="feature:year" value="" step="1">' in html
    assert '<select name="feature:island" required><option value="">choose</option>' in html
    assert '<select name="feature:tagged"><option value="">missing</option>' in html
    filled = browser.get(f"/models/{MODEL}/predict?example=0").html
    assert 'value="3.25"' in filled
    assert "<option selected>Dream</option>" in filled
    assert "<option selected>false</option>" in filled


def test_a_row_is_asked_of_the_api_and_its_label_and_chances_are_shown(
    staged: Staged, browser: Browser, api: Clients
) -> None:
    live(staged, features=FEATURES)
    api.answers["POST", "/predict"] = {
        "predictions": [{"label": "<i>Adelie</i>", "probabilities": {"<i>Adelie</i>": 0.9, "Gentoo": 0.1}}]
    }
    values = {"feature:mass": "3.5", "feature:year": "", "feature:island": "Dream", "feature:tagged": "true"}
    shown = browser.post(f"/models/{MODEL}/predict", values)
    assert api.asked[0][2] == b'{"instances": [{"mass": 3.5, "year": null, "island": "Dream", "tagged": true}]}'
    assert shown.text.index("<i>Adelie</i> 0.9") < shown.text.index("Gentoo 0.1")
    assert "<i>" not in shown.html
    assert 'value="3.5"' in shown.html


def test_the_answer_of_a_regression_is_its_number(staged: Staged, browser: Browser, api: Clients) -> None:
    live(staged, features=FEATURES, target={"name": "length", "unit": "mm"})
    assert "length, in mm" in browser.get(f"/models/{MODEL}/versions/v1").text
    values = {"feature:mass": "3.5", "feature:year": "", "feature:island": "Dream", "feature:tagged": "true"}
    for answer, said in (
        ({"value": 18.456789}, "18.46"),
        ({"value": 0.0}, "0"),
        ({"value": 18.456789, "low": 15.0, "high": 20.25}, "18.46 (15 to 20.25)"),
    ):
        api.answers["POST", "/predict"] = {"predictions": [answer]}
        assert f'<h2 id="said">{said}</h2>' in browser.post(f"/models/{MODEL}/predict", values).html


def test_what_the_api_refuses_is_said_beside_the_form_as_it_was_filled_in(
    staged: Staged, browser: Browser, api: Clients
) -> None:
    live(staged, features=FEATURES)
    api.answers["POST", "/predict"] = Mistake("400: mass is out of bounds")
    shown = browser.post(f"/models/{MODEL}/predict", {"feature:mass": "99"})
    assert (shown.status, "400: mass is out of bounds" in shown.text) == (409, True)
    assert 'value="99"' in shown.html
    assert "mass: a number is accepted" in browser.post(f"/models/{MODEL}/predict", {"feature:mass": "x"}).text
    assert "a finite number" in browser.post(f"/models/{MODEL}/predict", {"feature:mass": "inf"}).text


def test_a_finished_model_is_asked_by_a_row_of_json(staged: Staged, browser: Browser, api: Clients) -> None:
    live(staged, inputs=[{"name": "bytes", "datatype": "INT32", "shape": [-1, 4]}])
    assert "bytes INT32 -1, 4" in browser.get(f"/models/{MODEL}/predict").text
    api.answers["POST", "/predict"] = {"predictions": [[1, 2]]}
    shown = browser.post(f"/models/{MODEL}/predict", {"row": '{"bytes": [1, 2, 3, 4]}'})
    assert api.asked[0][2] == b'{"instances": [{"bytes": [1, 2, 3, 4]}]}'
    assert shown.status == 200
    assert "is not JSON" in browser.post(f"/models/{MODEL}/predict", {"row": "{"}).text


def test_jobs_of_the_caller_are_listed_and_one_is_shown(browser: Browser, api: Clients) -> None:
    row = {"id": "job-1.csv", "status": "running", "submitted": "2026-11-30T04:44:02Z", "rows": 7, "refused": 0}
    api.answers["GET", "/jobs"] = {"jobs": [row]}
    shown = browser.get(f"/models/{MODEL}/jobs")
    assert "job-1.csv" in shown.text
    assert "ask/cancel?of=job-1.csv" in shown.html
    api.answers["GET", "/jobs/job-1.csv"] = {**row, "status": "failed", "error": {"detail": "no such column"}}
    one = browser.get(f"/models/{MODEL}/jobs/job-1.csv")
    assert "no such column" in one.text
    assert "hx-trigger" not in one.html
    api.answers["GET", "/jobs"] = {"jobs": []}
    assert "None yet" in browser.get(f"/models/{MODEL}/jobs").text


def test_a_file_is_submitted_as_a_job(browser: Browser, api: Clients) -> None:
    ticket = {"id": "job-7.csv", "upload": {"method": "PUT", "url": "http://127.0.0.1:9/up"}}
    api.answers = {("POST", "/jobs"): ticket, ("PUT", "/up"): b""}
    file = File(name="../../etc/my rows.csv", content=b"a\n1\n")
    done = browser.post(f"/models/{MODEL}/jobs", {}, file)
    assert (done.status, done.reply.headers["location"]) == (303, f"/models/{MODEL}/jobs/job-7.csv")
    assert api.asked[-1] == ("PUT", "http://127.0.0.1:9/up", b"a\n1\n")
    refused = browser.post(f"/models/{MODEL}/jobs", {}, File(name="a.txt", content=b"x"))
    assert (refused.status, "a job's file is csv" in refused.text) == (409, True)
    assert "choose a file" in browser.post(f"/models/{MODEL}/jobs").text


def test_what_a_job_gave_is_a_file_to_download(browser: Browser, api: Clients) -> None:
    done = {"id": "job-1.csv", "status": "done", "result_url": "http://127.0.0.1:9/result"}
    api.answers = {("GET", "/jobs/job-1.csv"): done, ("GET", "/result"): b'{"label": 1}\n'}
    reply = browser.get(f"/models/{MODEL}/jobs/job-1.csv/result").reply
    assert reply.body == b'{"label": 1}\n'
    assert reply.headers["content-disposition"] == 'attachment; filename="penguins-job-1.csv.jsonl"'
    api.answers["GET", "/jobs/job-1.csv"] = {**done, "status": "running"}
    assert "has no result yet" in browser.get(f"/models/{MODEL}/jobs/job-1.csv/result").text


def test_a_job_is_cancelled(browser: Browser, api: Clients) -> None:
    api.answers["POST", "/jobs/job-1.csv/cancel"] = {"id": "job-1.csv", "status": "cancelled"}
    assert "No further part of job job-1.csv" in browser.get(f"/models/{MODEL}/ask/cancel?of=job-1.csv").text
    done = browser.post(f"/models/{MODEL}/do/cancel", {"of": "job-1.csv"})
    assert (done.status, "job job-1.csv is cancelled" in done.text) == (200, True)
