"""A training on labelled rows is asked for by a command, and those that were asked for are listed."""

from __future__ import annotations

import json

import pytest

from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import promote_first
from functions.core.storage.objects import Objects
from tests.functions.core.watching.retrained import SOURCE, came, labelled, trained
from tests.functions.core.watching.rows import MODEL as TUMOUR
from tests.functions.core.watching.rows import VERSION
from tests.sml.staged import MODEL, Staged


@pytest.fixture
def captures(staged: Staged) -> Objects:
    """What was captured of a model whose version is live, with its dataset."""
    found = staged.stores["s3://captures-1"] = Objects.in_memory()
    staged.outputs["models"][TUMOUR] = staged.outputs["models"][MODEL]
    Live(staged.registry, TUMOUR).change(lambda pointer: promote_first(pointer, VERSION, "run", 0.0))
    trained(staged.registry, staged.data, VERSION)
    return found


def test_a_training_on_labelled_rows_is_asked_for_and_remembered(staged: Staged, captures: Objects) -> None:
    labelled(captures, "2026-11-01", 310)
    said = staged.sml("retrain", TUMOUR, "--labelled")
    assert (said.code, said.out.splitlines()[0]) == (0, "310 labelled rows more")
    (request,) = staged.data.keys(f"{TUMOUR}/incoming/again")
    assert staged.data.get_json(request)["tables"][0] == SOURCE
    came(staged.registry, request, "refused")
    lines = [" ".join(line.split()) for line in staged.sml("retrain", TUMOUR, "--past").out.splitlines()]
    assert lines[0] == "asked for (UTC) because of labelled rows came to"
    assert lines[1].endswith("asked 310 refused")
    assert "0 rows were labelled since the last training" in lines
    assert lines[-1].endswith("UTC: a person asked for it")
    assert json.loads(staged.sml("retrain", TUMOUR, "--past", "--json").out)["asked"][0]["status"] == "refused"


def test_rows_of_a_training_in_vain_may_be_asked_for_again(staged: Staged, captures: Objects) -> None:
    labelled(captures, "2026-11-01", 310)
    assert staged.sml("retrain", TUMOUR, "--labelled").code == 0
    (request,) = staged.data.keys(f"{TUMOUR}/incoming/again")
    assert "on these rows is under way" in staged.sml("retrain", TUMOUR, "--labelled").err
    came(staged.registry, request, "refused")
    again = staged.sml("retrain", TUMOUR, "--labelled")
    assert (again.code, again.out.splitlines()[0]) == (0, "310 labelled rows more")
    assert "only if the contract or the code has changed since" in again.err
    trained(staged.registry, staged.data, VERSION, request)
    assert (
        f"no rows of {TUMOUR} were labelled that its live version has"
        in staged.sml("retrain", TUMOUR, "--labelled").err
    )


def test_where_nothing_was_asked_for_it_says_so(staged: Staged, captures: Objects) -> None:
    labelled(captures, "2026-11-01", 7)
    said = staged.sml("retrain", TUMOUR, "--past")
    assert said.out.splitlines() == [
        f"no training of {TUMOUR} was asked for on labelled rows", "7 rows were labelled since the last training"
    ]  # fmt: skip


def test_without_labelled_rows_it_says_how_they_come(staged: Staged, captures: Objects) -> None:
    assert captures is not None
    said = staged.sml("retrain", TUMOUR, "--labelled")
    assert said.code == 1
    assert f"no rows of {TUMOUR} were labelled that its live version has not learnt from" in said.err


def test_rows_that_lack_a_column_and_a_dataset_that_is_gone_are_told(staged: Staged, captures: Objects) -> None:
    labelled(captures, "2026-11-01", 310, lacks=["patient"])
    assert "labelled rows lack patient" in staged.sml("retrain", TUMOUR, "--labelled").err
    labelled(captures, "2026-11-01", 310)
    staged.registry.put_json(f"{TUMOUR}/runs/r1/run.json", {"source": f"{TUMOUR}/incoming/gone.csv"})
    assert "is gone: upload a dataset" in staged.sml("retrain", TUMOUR, "--labelled").err


def test_a_finished_model_is_told_before_any_rows_are_asked_for(staged: Staged, captures: Objects) -> None:
    assert captures is not None
    staged.registry.put_json(f"{TUMOUR}/versions/{VERSION}/card.json", {"task": "finished", "run": "r1"})
    assert "a finished model is not trained here" in staged.sml("retrain", TUMOUR, "--labelled").err


def test_options_that_exclude_each_other_are_told(staged: Staged) -> None:
    said = staged.sml("retrain", MODEL, "--labelled", "--window")
    assert said.code != 0
    assert "pass one of them" in said.err


def test_a_run_says_why_it_trained_again(staged: Staged) -> None:
    request = {"cause": "drift", "said": "size has drifted", "tables": []}
    staged.run("abc123", retraining=request, further={"rows": 312, "rejected_rows": 2})
    assert "drift: size has drifted; 310 labelled rows" in staged.sml("show", MODEL, "abc").out
