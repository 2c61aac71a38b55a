from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from functions.core.dataset import trained
from functions.core.dataset.dataset import Dataset
from functions.core.dataset.prepare import BadRequest
from functions.core.registry.executions import Executions
from functions.core.registry.runs import Status
from functions.core.storage.objects import Objects
from functions.core.storage.tag import Tag
from models.section import ContractError
from tests.functions.bench import AT, MODEL, TRAINING, Bench, csv, rows


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    found = Bench(folder=tmp_path)
    found.write_model()
    return found


def settle(bench: Bench, run: str, status: str, **more: Any) -> None:
    bench.registry.update_run(run, lambda record: {**record, "status": status, **more})


def note(bench: Bench, execution: str = "first") -> dict[str, Any]:
    found = Executions(bench.models, MODEL).find(execution)
    assert found is not None
    return found


def contents(bench: Bench) -> dict[str, bytes]:
    """All that runs and datasets are made of."""
    models = {key: bench.models.get(key) for key in bench.models.keys(f"{MODEL}/runs")}
    return models | {key: bench.data.get(key) for key in bench.data.keys(f"{MODEL}/datasets")}


def test_an_upload_is_accepted_with_a_run_and_its_experiments(bench: Bench) -> None:
    answer = bench.prepare(bench.upload(csv()))
    assert {**answer, "run": "", "dataset": ""} == {
        "status": "accepted",
        "model": MODEL,
        "run": "",
        "dataset": "",
        "experiments": ["e0", "e1"],
        "trainer": "shared",
        "round": 1,
    }
    record = bench.record(answer["run"])
    assert (record["status"], record["rows"], record["created"]) == ("training", 90, AT)
    plan = bench.models.get_json(f"{MODEL}/runs/{answer['run']}/plan.json")
    assert plan == {"experiments": [{"id": "e0", "params": {"ridge": 0.1}}, {"id": "e1", "params": {"ridge": 10.0}}]}
    assert note(bench)["run"] == answer["run"]


def test_the_prepared_dataset_lies_under_its_digest(bench: Bench) -> None:
    answer = bench.prepare(bench.upload(csv()))
    folder = f"{MODEL}/datasets/{answer['dataset']}"
    assert sorted(bench.data.keys(folder)) == [
        f"{folder}/{name}" for name in ("data.npz", "profile.json", "rejected.csv", "report.json")
    ]
    assert Dataset.from_bytes(bench.data.get(f"{folder}/data.npz")).x.shape == (90, 3)
    assert bench.data.get_json(f"{folder}/profile.json")["rows"] == 90
    assert bench.data.get_json(f"{folder}/report.json")["source"] == f"{MODEL}/incoming/fruit.csv"


def test_the_same_dataset_is_the_same_run_however_it_is_written(bench: Bench) -> None:
    first = bench.prepare(bench.upload(csv()))
    assert bench.prepare(bench.upload(csv(end="\r\n"), "again.csv"), "second") == first
    assert bench.prepare(bench.upload(csv()), "first") == first


@pytest.mark.parametrize("change", [{"training": TRAINING + "\n# better\n"}, {"search": {"folds": 4}}])
def test_another_training_or_contract_is_another_run(bench: Bench, change: dict[str, Any]) -> None:
    first = bench.prepare(bench.upload(csv()))
    bench.write_model(**change)
    assert bench.prepare(bench.upload(csv()))["run"] != first["run"]


def test_another_module_in_the_folder_of_the_model_is_another_run(bench: Bench) -> None:
    first = bench.prepare(bench.upload(csv()))
    (bench.folder / MODEL / "helpers.py").write_text("SCALE = 2\n", encoding="utf-8")
    assert bench.prepare(bench.upload(csv()))["run"] != first["run"]


@pytest.mark.parametrize("status", ["refused", "canary", "promoted", "rolled_back"])
def test_a_run_that_is_through_is_not_run_again(bench: Bench, status: str) -> None:
    first = bench.prepare(bench.upload(csv()))
    settle(bench, first["run"], status)
    before = contents(bench)
    answer = bench.prepare(bench.upload(csv(end="\r\n"), "again.csv"), "second")
    assert (answer["status"], answer["experiments"]) == ("unchanged", [])
    assert contents(bench) == before
    assert note(bench, "second")["run"] == first["run"]


def test_a_run_that_was_registered_and_left_is_released(bench: Bench) -> None:
    first = bench.prepare(bench.upload(csv()))
    settle(bench, first["run"], "registered", version="abc")
    assert bench.prepare(bench.upload(csv()), "second")["status"] == "registered"
    assert bench.record(first["run"])["version"] == "abc"


def test_a_run_that_failed_is_carried_on(bench: Bench) -> None:
    first = bench.prepare(bench.upload(csv()))
    settle(bench, first["run"], "failed", cause="the store was away")
    again = bench.prepare(bench.upload(csv()), "second")
    assert again == first
    record = bench.record(first["run"])
    assert (record["status"], record["execution"]) == ("training", "second")
    assert "cause" not in record


def test_the_newest_upload_is_taken_when_only_the_model_is_named(bench: Bench) -> None:
    bench.upload(csv(), "a.csv")
    bench.upload(csv(rows(60)), "b.csv")
    answer = bench.prepare({"model": MODEL})
    assert bench.record(answer["run"])["source"] == f"{MODEL}/incoming/b.csv"


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "the file is empty"),
        (b"\x89PNG\r\n", "an image"),
        (csv(header=("sise", "weight", "colour", "ripe")), "did you mean size?"),
        (csv([["x", 1, "red", "yes"]] * 40), "40 of 40 rows are not acceptable"),
    ],
)
def test_a_bad_file_ends_the_run_as_rejected_with_a_report(bench: Bench, data: bytes, cause: str) -> None:
    answer = bench.prepare(bench.upload(data))
    assert (answer["status"], answer["experiments"]) == ("rejected", [])
    record = bench.record(answer["run"])
    assert record["status"] == Status.REJECTED
    assert cause in record["cause"]
    assert answer["dataset"] == hashlib.sha256(data).hexdigest()
    report = bench.data.get_json(f"{MODEL}/datasets/{answer['dataset']}/report.json")
    assert report == record["report"]
    assert report["accepted"] is False
    assert note(bench)["run"] == answer["run"]


def test_a_rejected_file_touches_no_version_and_no_champion(bench: Bench) -> None:
    bench.models.put_json(f"{MODEL}/live.json", {"champion": "abc"})
    bench.prepare(bench.upload(b""))
    assert bench.models.get_json(f"{MODEL}/live.json") == {"champion": "abc"}
    assert not list(bench.models.keys(f"{MODEL}/versions"))


def test_a_file_that_is_too_large_is_rejected_without_being_read(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trained, "MAXIMUM_BYTES", len(csv()) - 1)
    answer = bench.prepare(bench.upload(csv()))
    assert answer["status"] == "rejected"
    assert "the file is larger than" in bench.record(answer["run"])["cause"]


@pytest.mark.parametrize("name", ["", "2026/", "a/b/"])
def test_a_folder_made_in_a_console_begins_no_run(name: str, bench: Bench) -> None:
    answer = bench.prepare({"source": f"{MODEL}/incoming/{name}"})
    assert (answer["status"], answer["run"]) == ("unchanged", "")
    assert list(bench.models.keys(MODEL)) == []


def test_a_start_by_schedule_takes_the_newest_dataset_and_passes_over_a_folder_made_after_it(bench: Bench) -> None:
    first = bench.prepare(bench.upload(csv()))
    bench.upload(b"", "2026")  # the client shows a folder's marker without its slash
    settle(bench, first["run"], "promoted")
    unchanged = {**first, "status": "unchanged", "experiments": []}
    assert (unchanged.pop("trainer"), unchanged.pop("round")) == ("shared", 1)
    assert bench.prepare({"model": MODEL}, "by-schedule") == unchanged


@pytest.mark.parametrize("name", ["/double.csv", "./dot.csv", "../up.csv", "line\nbreak.csv", "\x01.csv", "a//b.csv"])
def test_a_key_that_cannot_be_read_is_rejected_by_its_name(name: str, bench: Bench) -> None:
    source = f"{MODEL}/incoming/{name}"
    answer = bench.prepare({"source": source})
    record = bench.record(answer["run"])
    assert (answer["status"], record["status"], record["source"]) == ("rejected", "rejected", source)
    assert repr(source) in record["cause"]
    assert "upload it under a key of folders and a name" in record["cause"]


@pytest.mark.parametrize("name", ["a b.csv", "a+b.csv", "100%.csv", "%2F.csv", "größe.csv", "a/b/c.csv", "a?b#c.csv"])
def test_a_key_with_any_other_character_is_read(name: str, bench: Bench) -> None:
    assert bench.prepare(bench.upload(csv(), name))["status"] == "accepted"


def test_a_file_that_was_deleted_before_it_was_read_is_rejected(bench: Bench) -> None:
    answer = bench.prepare({"source": f"{MODEL}/incoming/gone.csv"})
    assert answer["status"] == "rejected"
    assert "was gone before it was read" in bench.record(answer["run"])["cause"]


def test_a_file_is_noted_before_it_is_opened(bench: Bench) -> None:
    request = bench.upload(csv())
    seen = []

    class Opened(Objects):
        def block(self, key: str, start: int, size: int) -> tuple[bytes, Tag]:
            seen.append(note(bench))
            return super().block(key, start, size)

    bench.data = Opened(bench.data._store)
    bench.prepare(request)
    assert {entry["status"] for entry in seen} == {"received"}
    assert (seen[0]["source"], seen[0]["bytes"]) == (request["source"], len(csv()))
    assert "status" not in note(bench)


def test_a_file_on_which_a_reader_fails_is_rejected_with_what_it_said(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OverflowError("date value out of range")

    monkeypatch.setattr(trained, "validate_dataset", fail)
    answer = bench.prepare(bench.upload(csv()))
    assert answer["status"] == "rejected"
    assert bench.record(answer["run"])["cause"] == "the file cannot be read: OverflowError: date value out of range"


def test_a_run_that_newer_data_superseded_is_released_when_its_dataset_is_uploaded_again(bench: Bench) -> None:
    first = bench.prepare(bench.upload(csv()))
    settle(bench, first["run"], "superseded", version="abc", superseded_by="other", cause="newer data came")
    assert bench.prepare(bench.upload(csv()), "second")["status"] == "registered"
    record = bench.record(first["run"])
    assert (record["status"], record["version"], record["execution"]) == ("registered", "abc", "second")
    assert not {"superseded_by", "cause"} & record.keys()


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"null"])
def test_a_damaged_record_is_written_anew(damage: bytes, bench: Bench) -> None:
    first = bench.prepare(bench.upload(csv()))
    bench.models.put(bench.registry.run_key(first["run"], "run.json"), damage)
    assert bench.prepare(bench.upload(csv()), "second") == first
    assert bench.record(first["run"])["status"] == "training"


def test_a_version_that_is_named_is_to_be_released(bench: Bench) -> None:
    run, answer = bench.run_through(csv())
    settle(bench, run, "rolled_back")
    found = bench.prepare({"model": MODEL, "version": answer["version"]}, "by-hand")
    assert found["status"] == "registered"
    record = bench.record(found["run"])
    assert (record["status"], record["version"]) == ("registered", answer["version"])
    assert found["run"] != run
    assert bench.prepare({"model": MODEL, "version": answer["version"]}, "once-more")["run"] != found["run"]


@pytest.mark.parametrize("more", [{}, {"reason": "complaints"}])
def test_a_request_for_a_rollback_is_passed_on_and_nothing_is_prepared(more: dict[str, str], bench: Bench) -> None:
    found = bench.prepare({"model": MODEL, "action": "rollback", **more})
    assert (found["status"], found["model"]) == ("rollback", MODEL)
    assert found["reason"] == more.get("reason", "no reason was given")
    assert list(bench.models.keys(MODEL)) == []


def test_a_release_delivered_twice_keeps_what_happened_in_between(bench: Bench) -> None:
    _, answer = bench.run_through(csv())
    request = {"model": MODEL, "version": answer["version"]}
    found = bench.prepare(request, "by-hand")
    settle(bench, found["run"], "canary")
    assert bench.prepare(request, "by-hand") == found
    assert bench.record(found["run"])["status"] == "canary"


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"source": 3},
        {"source": "fruit.csv"},
        {"source": "fruit/datasets/x.csv"},
        {"source": "../incoming/x.csv"},
        {"model": "../fruit"},
        {"model": MODEL, "version": 3},
        {"model": MODEL, "sauce": "x"},
        {"model": MODEL, "action": "explode"},
        {"model": MODEL, "action": "rollback", "reason": 3},
        {"model": MODEL, "action": "rollback", "to": "x"},
        {"model": "../fruit", "action": "rollback"},
    ],
)
def test_a_request_that_names_nothing_is_answered_with_what_is_accepted(bench: Bench, request_: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match=r'accepted: \{"source": "<model>/incoming/<file>"\}'):
        bench.prepare(request_)


def test_what_is_named_and_not_there_is_said_to_be_missing(bench: Bench) -> None:
    with pytest.raises(BadRequest, match="no dataset under fruit/incoming/ yet"):
        bench.prepare({"model": MODEL})
    with pytest.raises(BadRequest, match="fruit has no registered version 0123"):
        bench.prepare({"model": MODEL, "version": "0123"})
    with pytest.raises(ContractError, match="models here: fruit"):
        bench.prepare({"source": "nut/incoming/x.csv"})


def test_a_model_with_packages_of_its_own_is_trained_by_a_function_of_its_own_and_they_are_part_of_its_runs(
    bench: Bench,
) -> None:
    (bench.folder / "lock.txt").write_text("of all", encoding="utf-8")
    shared = bench.prepare(bench.upload(csv()), "first")
    own = bench.folder / MODEL / "lock.txt"
    own.write_text("of fruit", encoding="utf-8")
    apart = bench.prepare(bench.upload(csv()), "second")
    assert (shared["trainer"], apart["trainer"]) == ("shared", f"own {MODEL}")
    assert bench.models.get_json(f"{MODEL}/runs/{apart['run']}/run.json")["lock"] == "of fruit"
    own.write_text("of other fruit", encoding="utf-8")
    assert len({shared["run"], apart["run"], bench.prepare(bench.upload(csv()), "third")["run"]}) == 3


def ask(bench: Bench, tables: list[str], **changes: Any) -> dict[str, str]:
    """Ask for a training on tables that are there, as the function that watches does."""
    key = f"{MODEL}/incoming/again/20261201T010203-drift.json"
    bench.data.put_json(key, {"cause": "drift", "said": "size has drifted", "tables": tables, **changes})
    return {"source": key}


def test_a_request_to_train_again_is_trained_on_the_dataset_of_before_and_the_labelled_rows(bench: Bench) -> None:
    source = bench.upload(csv(rows()[:60]))["source"]
    bench.data.put(f"{MODEL}/labelled/2026-11-20.csv", csv(rows()[60:]))
    answer = bench.prepare(ask(bench, [source, f"{MODEL}/labelled/2026-11-20.csv"]))
    assert answer["status"] == "accepted"
    record = bench.record(answer["run"])
    assert record["rows"] == 90
    assert record["further"]["rows"] == 30
    assert (record["retraining"]["cause"], record["retraining"]["said"]) == ("drift", "size has drifted")
    assert answer["run"] == bench.prepare(bench.upload(csv(), "whole.csv"))["run"]


def test_a_request_on_rows_that_were_trained_on_already_changes_nothing(bench: Bench) -> None:
    first = bench.upload(csv())
    settle(bench, bench.prepare(first)["run"], "promoted")
    assert bench.prepare(ask(bench, [first["source"]]))["status"] == "unchanged"


@pytest.mark.parametrize(
    ("tables", "changes", "cause"),
    [
        ([f"{MODEL}/incoming/gone.csv"], {}, "'fruit/incoming/gone.csv' was gone before it was read"),
        (["other/incoming/a.csv"], {}, "the file is no request to train again; accepted: "),
        ([f"{MODEL}/incoming/again/20261201T010203-drift.json"], {}, "the file is no request to train again"),
        ([], {}, "the file is no request to train again"),
        ([f"{MODEL}/incoming/fruit.csv"], {"cause": "a whim"}, "the file is no request to train again"),
        ([f"{MODEL}/incoming/fruit.csv"], {"more": 1}, "the file is no request to train again"),
    ],
)
def test_a_request_that_names_no_table_of_the_model_is_rejected_with_what_is_accepted(
    bench: Bench, tables: list[str], changes: dict[str, Any], cause: str
) -> None:
    bench.upload(csv())
    answer = bench.prepare(ask(bench, tables, **changes))
    assert answer["status"] == "rejected"
    assert bench.record(answer["run"])["cause"].startswith(cause)


def test_a_request_that_is_no_json_is_rejected(bench: Bench) -> None:
    source = ask(bench, [])["source"]
    bench.data.put(source, b"{")
    assert bench.prepare({"source": source})["status"] == "rejected"


def test_tables_that_are_too_large_together_are_rejected(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    source = bench.upload(csv())["source"]
    bench.data.put(f"{MODEL}/labelled/2026-11-20.csv", csv())
    monkeypatch.setattr(trained, "MAXIMUM_BYTES", len(csv()) + 10)
    assert bench.prepare(ask(bench, [source]))["status"] == "accepted"
    answer = bench.prepare(ask(bench, [source, f"{MODEL}/labelled/2026-11-20.csv"]))
    assert bench.record(answer["run"])["cause"].startswith("the files together are larger than")
