"""What commands do to a stack."""

from __future__ import annotations

import io
import itertools
import json
from pathlib import Path, PosixPath
from typing import Any

import pytest

from functions.core.registry.pointer import Pointer, begin, promote_first
from sml.file import content_of
from sml.mistake import Mistake
from tests.functions.test_upgrade import WRITTEN
from tests.sml.called import called
from tests.sml.staged import MODEL, Staged


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "data.csv"
    file.write_bytes(b"a,b\n1,2\n")
    return file


def test_a_dataset_is_uploaded_to_where_its_model_is_trained_from(staged: Staged, table: Path) -> None:
    said = staged.sml("upload", MODEL, str(table))
    assert said.out.splitlines()[0] == f"8 bytes -> s3://data-1/{MODEL}/incoming/data.csv"
    assert staged.data.get(f"{MODEL}/incoming/data.csv") == b"a,b\n1,2\n"
    assert staged.sml("upload", MODEL, str(table), "--as", "other.csv", "--json").document["bytes"] == 8
    assert staged.data.exists(f"{MODEL}/incoming/other.csv")


def test_what_cannot_be_uploaded_is_told_and_nothing_is(staged: Staged, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.touch()
    for file, sentence in (
        (tmp_path / "none.csv", "cannot be read: No such file"),
        (tmp_path, "is a folder; a file is accepted"),
        (empty, "is empty"),
    ):
        said = staged.sml("upload", MODEL, str(file))
        assert (said.code, sentence in said.err) == (1, True)
    assert list(staged.data.keys("")) == []


class Growing(io.FileIO):
    """A file that another process appends to while it is read."""

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(-1 if size is None else size)
        with open(str(self.name), "ab") as other:  # noqa: PTH123 - the name is that of this file
            other.write(b"3,4\n")
        return content


class GrowingPath(PosixPath):
    def open(self, *_: Any, **__: Any) -> Any:
        return Growing(str(self))


def test_a_file_that_is_written_while_it_is_read_is_no_dataset(table: Path) -> None:
    with pytest.raises(Mistake, match=r"data\.csv was written while it was read; name it again when it is whole"):
        content_of(GrowingPath(table))
    assert content_of(table) == b"a,b\n1,2\n3,4\n"


def test_a_wait_that_is_over_says_what_goes_on(staged: Staged, table: Path) -> None:
    said = staged.sml("upload", MODEL, str(table), "--wait", "--timeout", "1")
    assert (said.code, "waited in vain for a run of it to begin" in said.err) == (4, True)


def test_an_upload_is_followed_to_the_end_and_the_code_says_whether_it_went_live(
    staged: Staged, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, key, number = staged.data.put, f"{MODEL}/incoming/data.csv", itertools.count()
    status: dict[str, Any] = {
        "status": "promoted",
        "rows": 569,
        "rejected_rows": 0,
        "dataset": "c6a45d17",
        "version": "v1",
    }

    def trained(where: str, content: bytes) -> None:
        put(where, content)
        execution = f"x{next(number)}"
        note = {"execution": execution, "run": "aa01", "source": key}
        staged.registry.put_json(f".executions/{MODEL}/{execution}.json", note)
        staged.run("aa01", **status)

    monkeypatch.setattr(staged.data, "put", trained)
    staged.registry.put_json(f"{MODEL}/live.json", promote_first(Pointer(), "v1", "aa01", 0.0).document())
    said = staged.sml("upload", MODEL, str(table), "--wait")
    assert (said.code, said.out) == (0, "")
    assert "569 rows, 0 rejected" in said.err
    assert said.err.splitlines()[-1].split(maxsplit=1)[0] == "promoted"
    status = {"status": "rejected", "cause": "column b is missing"}
    said = staged.sml("upload", MODEL, str(table), "--wait", "--json")
    assert (said.code, said.document["status"]) == (1, "rejected")
    assert said.err.splitlines()[-1].split(maxsplit=1) == ["rejected", "column b is missing"]


def test_what_was_judged_before_is_not_told_as_if_it_had_just_happened(
    staged: Staged, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, key = staged.data.put, f"{MODEL}/incoming/data.csv"
    staged.registry.put_json(f"{MODEL}/live.json", promote_first(Pointer(), "v2", "bb02", 0.0).document())
    staged.run("aa01", version="v1", execution="before")

    def again(where: str, content: bytes) -> None:
        put(where, content)
        note = {"execution": "x1", "run": "aa01", "source": key}
        other = {"execution": "x0", "run": "bb02"}  # a release that begins meanwhile has no source
        for one in (other, note):
            staged.registry.put_json(f".executions/{MODEL}/{one['execution']}.json", one)

    monkeypatch.setattr(staged.data, "put", again)
    said = staged.sml("upload", MODEL, str(table), "--wait")
    told = [line.split(maxsplit=1) for line in said.err.splitlines()]
    assert said.code == 1
    assert told[1:] == [["unchanged", "the same was judged before, in run aa01: promoted"], ["live", "v2"]]


def test_a_release_is_followed_by_its_own_execution(staged: Staged) -> None:
    canary(staged)
    staged.registry.put_json(f"{MODEL}/versions/v3/card.json", {"version": "v3"})
    staged.run("other", status="promoted")
    staged.run("own", status="rolled_back", version="v3", rollout={"reason": "errors"})

    for execution, run in (("id-6", "other"), ("id-7", "own")):
        staged.registry.put_json(f".executions/{MODEL}/{execution}.json", {"execution": execution, "run": run})
    said = staged.sml("release", MODEL, "v3", "--wait", "--json")
    assert (said.code, said.document["run"]) == (1, "own")


def test_experiments_that_failed_are_told_though_another_went_live(staged: Staged, table: Path) -> None:
    staged.data.put(f"{MODEL}/incoming/a.csv", b"x")
    staged.registry.put_json(f"{MODEL}/live.json", promote_first(Pointer(), "v1", "aa01", 0.0).document())
    checks = [{"name": "f1", "value": 1.0, "bound": 0.5, "detail": "", "passed": True}]
    staged.run("aa01", version="v1", execution="id-7", checks=checks)
    ranked = [
        {"id": "e1", "mean": 0.9, "std": 0.1, "metric": "f1", "params": {"family": "boosting"}},
        {"id": "e0", "status": "failed", "params": {}, "error": "NameError: no (training.py:9, in fit: x)"},
    ]
    staged.registry.put_json(f"{MODEL}/runs/aa01/leaderboard.json", {"experiments": ranked})
    staged.registry.put_json(f".executions/{MODEL}/id-7.json", {"execution": "id-7", "run": "aa01"})
    said = staged.sml("retrain", MODEL, "--wait")
    assert (said.code, "1 of 2 failed; e0: NameError: no (training.py:9, in fit: x)" in said.err) == (0, True)


def test_an_upload_in_the_seconds_of_a_deployment_is_followed_to_the_run_that_follows(
    staged: Staged, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    staged.data.put(f"{MODEL}/incoming/a.csv", b"x")
    cause = "the code of penguins changed after the run began: it begins again, with what is deployed now"
    note = {"execution": "id-7", "run": "aa01"}
    staged.run("aa01", status="failed", execution="id-7", restarts="id-7", cause=cause)
    staged.registry.put_json(f".executions/{MODEL}/id-7.json", note)
    staged.registry.put_json(f"{MODEL}/live.json", promote_first(Pointer(), "v2", "bb02", 0.0).document())

    def prepared(*_: object) -> None:
        staged.registry.put_json(f".executions/{MODEL}/id-7.json", {**note, "run": "bb02"})
        staged.run("bb02", version="v2", execution="id-7")

    monkeypatch.setattr("sml.following.Following._pause", prepared)
    said = staged.sml("retrain", MODEL, "--wait", "--json")
    assert (said.code, said.document["run"], said.err.count(cause)) == (0, "bb02", 1)


def test_training_begins_with_the_newest_dataset(staged: Staged) -> None:
    said = staged.sml("retrain", MODEL)
    assert (said.code, said.err) == (1, f"sml: {MODEL} has no dataset yet: `sml upload {MODEL} FILE`\n")
    assert staged.started == []
    staged.data.put(f"{MODEL}/incoming/a.csv", b"x")
    assert f"{MODEL}/incoming/a.csv" in staged.sml("retrain", MODEL).out
    assert staged.started == [{"model": MODEL}]


def canary(staged: Staged) -> None:
    pointer = begin(promote_first(Pointer(), "v1", "aa01", 0.0), "v2", "bb02", 10, 60.0)
    staged.registry.put_json(f"{MODEL}/live.json", pointer.document())


def test_a_canary_is_promoted_or_withdrawn_by_hand_with_the_reason_in_the_history(staged: Staged) -> None:
    canary(staged)
    assert staged.sml("promote", MODEL, "-m", "good").out == f"{MODEL} @ v2 is live (before: v1)\n"
    assert staged.sml("history", MODEL, "--json").document[0]["reason"] == "good"
    canary(staged)
    assert staged.sml("withdraw", MODEL, "--reason", "bad").out == f"{MODEL} @ v1 answers every caller\n"
    for command in ("promote", "withdraw"):
        said = staged.sml(command, MODEL)
        assert (said.code, said.err) == (1, f"sml: {MODEL}: no release is under way\n")


def test_a_version_is_released_by_the_workflow(staged: Staged) -> None:
    canary(staged)
    for name in ("v1", "v3"):
        staged.registry.put_json(f"{MODEL}/versions/{name}/card.json", {"version": name})
    assert staged.sml("release", MODEL, "v3").code == 0
    assert staged.started == [{"model": MODEL, "version": "v3"}]
    assert "is live already" in staged.sml("release", MODEL, "v1").err
    assert "has no version v9" in staged.sml("release", MODEL, "v9").err


def test_a_release_that_promotes_meanwhile_is_not_taken_for_the_rollback(
    staged: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [("promoted", "newest", "run"), ("rolled_back", "newer", "id-6"), ("rolled_back", "newest", "id-7")]
    history = [
        {"revision": n, "event": event, "version": version, "run": run, "at": "2026-11-30", "reason": "x"}
        for n, (event, version, run) in enumerate(entries)
    ]
    pointer = {"revision": 9, "challenger": None, "weight": 0, "release": None}
    looks = [
        {**pointer, "champion": "newest", "previous": "new", "history": history[:n]} for n in range(len(history))
    ] + [{**pointer, "champion": "new", "previous": None, "history": history}]
    found = iter(looks)
    monkeypatch.setattr("sml.commands.releases.LOOK_SECONDS", 0)
    monkeypatch.setattr(staged.registry, "find", lambda _: json.dumps(next(found)).encode())
    said = staged.sml("rollback", MODEL, "--json")
    assert (said.code, said.document["champion"], said.document["before"]) == (0, "new", "newest")
    assert staged.started == [{"model": MODEL, "action": "rollback", "reason": "by hand"}]


def test_without_anything_to_go_back_to_nothing_is_started(staged: Staged) -> None:
    said = staged.sml("rollback", MODEL)
    assert (said.code, said.err) == (1, f"sml: {MODEL}: there is no earlier version to go back to\n")
    assert staged.started == []


def test_a_rollback_that_does_not_come_is_told(staged: Staged) -> None:
    pointer = {**Pointer(champion="v2", previous="v1").document()}
    staged.registry.put_json(f"{MODEL}/live.json", pointer)
    said = staged.sml("rollback", MODEL, "--timeout", "1")
    assert (said.code, "is not in the history after 1 s" in said.err) == (4, True)


def test_a_file_is_put_under_its_key(staged: Staged, table: Path) -> None:
    for store in ("data", "s3://data-1/", "s3://data-1"):
        assert staged.sml("put", store, "m/notes/a.csv", str(table)).code == 0
    assert staged.data.get("m/notes/a.csv") == b"a,b\n1,2\n"
    said = staged.sml("put", "s3://x", "k", str(table))
    assert (said.code, said.err) == (1, "sml: s3://x is no store of the stack; accepted: data, models, jobs\n")


@pytest.mark.parametrize(
    ("store", "key", "sentence"),
    [
        (
            "data",
            f"{MODEL}/notes/a.csv",
            f"s3://data-1/{MODEL}/notes/a.csv has no effect there; put it at s3://data-1/{MODEL}/incoming/a.csv\n",
        ),
        (
            "jobs",
            "nobody/in/a.csv",
            "s3://jobs-1/nobody/in/a.csv: there is no model nobody in this stack; put it at"
            " s3://jobs-1/MODEL/in/a.csv, MODEL being one of: penguins, whales\n",
        ),
        ("data", f"{MODEL}/incoming/a.csv", ""),
        ("jobs", f"{MODEL}/in/a.csv", ""),
        ("models", "anything", ""),
    ],
    ids=["no effect", "no model", "data", "job", "models"],
)
def test_a_file_that_nothing_reads_where_it_is_put_is_told_with_the_right_place(
    store: str, key: str, sentence: str, staged: Staged, table: Path
) -> None:
    said = staged.sml("put", store, key, str(table))
    assert (said.code, said.err) == (0, sentence)


@pytest.mark.parametrize("key", ["", "../x", "a//b", "/a", "a/", "a/./b", "a\nb", "x" * 1025])
def test_what_is_no_key_is_refused_before_anything_is_written(key: str, staged: Staged, table: Path) -> None:
    said = staged.sml("put", "data", key, str(table))
    assert (said.code, "is no key of an object" in said.err, len(said.err.splitlines())) == (1, True, 1)
    assert staged.sml("upload", MODEL, str(table), "--as", f"../{key}").code == 1
    assert list(staged.data.keys("")) == []


def test_a_file_that_cannot_be_written_is_told(staged: Staged, tmp_path: Path) -> None:
    staged.run("aa01", version="v1")
    staged.registry.put(f"{MODEL}/versions/v1/report.html", b"<html>")
    nowhere = tmp_path / "none" / "x"
    for asked in (["report", MODEL, "-o", str(nowhere)], ["export", "csv", "-o", str(nowhere)]):
        said = staged.sml(*asked)
        assert (said.code, said.err) == (1, f"sml: {nowhere} cannot be written: No such file or directory\n")


def test_ctrl_c_ends_a_wait_quietly(staged: Staged, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sml.following.Following._pause", interrupted)
    said = staged.sml("upload", MODEL, str(table), "--wait")
    assert (said.code, "Traceback" in said.err) == (130, False)


def test_a_message_is_a_json_object(staged: Staged) -> None:
    assert staged.sml("send", "labels", '{"label": "benign"}').code == 0
    assert staged.sent == [("labels", {"label": "benign"})]
    for text in ("[]", "1", "{", ""):
        said = staged.sml("send", "labels", text)
        assert (said.code, "accepted: a JSON object" in said.err) == (1, True)


def test_the_newest_lines_of_a_log_are_printed(staged: Staged) -> None:
    said = staged.sml("logs", "labels")
    assert (said.out, said.err) == ("", "labels has logged nothing yet\n")
    staged.logged = [f"labels {number}" for number in range(9)]
    assert staged.sml("logs", "labels", "--lines", "2").out == "labels 7\nlabels 8\n"


def test_dead_letters_go_back_to_the_queue_that_is_named(staged: Staged) -> None:
    assert staged.sml("redrive").out == "1 dead letter of jobs brought back\n"
    assert staged.sml("redrive", "labels").out == "2 dead letters of labels brought back\n"


def test_the_registry_at_a_url_is_verified_without_a_stack(tmp_path: Path) -> None:
    url = f"file://{WRITTEN / 'models'}"
    said = called("registry", "verify", "--url", url, state=tmp_path)
    assert said.code == 0
    assert "whole     fruit: 32 objects, 2 versions, 3 runs; live is 18ef0b38ed5a16f3" in said.out
    said = called("registry", "verify", "nobody", "--url", url, state=tmp_path)
    assert (said.code, "there is no model nobody; in the store: fruit, pair" in said.out) == (2, True)
    said = called("registry", "verify", "fruit", "--url", url, "--champion", "0123456789abcdef", state=tmp_path)
    assert (said.code, "it goes with --repair" in said.err) == (1, True)
    assert called("registry", "verify", state=tmp_path).code == 3


UNITS = {"thousand_predictions": 0.00788, "training_run": 0.0205, "idle_month": 1234.5, "month": 21.1}


@pytest.mark.parametrize(
    ("estimate", "line"),
    [
        (
            {"usd": UNITS, "grams": UNITS},
            "1,000 predictions 0.0079 USD, 0.0079 g CO2e; a training run 0.021 USD, 0.021 g CO2e;"
            " idle month 1,234 USD, 1,234 g CO2e",
        ),
        (
            {"usd": None, "grams": UNITS},
            "1,000 predictions 0.0079 g CO2e; a training run 0.021 g CO2e; idle month 1,234 g CO2e",
        ),
        (
            {"grams": UNITS, "grams_low": UNITS, "grams_high": {unit: 2 * one for unit, one in UNITS.items()}},
            "1,000 predictions 0.0079 g CO2e (0.0079 to 0.016); a training run 0.021 g CO2e (0.021 to 0.041);"
            " idle month 1,234 g CO2e (1,234 to 2,469)",
        ),
        ({"usd": None, "grams": None, "grams_low": None, "grams_high": None}, None),
        ("[secret]", None),
        (None, None),
    ],
    ids=["all", "grams", "with a range", "nothing", "secret", "older"],
)
def test_the_status_says_what_the_stack_says_that_it_costs(staged: Staged, estimate: Any, line: str | None) -> None:
    if estimate is not None:
        staged.outputs["estimate"] = estimate
    found = [text for text in staged.sml("status").out.splitlines() if text.startswith("estimate")]
    assert len(found) == (line is not None)
    assert line is None or line in found[0]
    assert staged.sml("status", "--json").document["estimate"] == estimate
