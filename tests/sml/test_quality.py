"""The quality of the live version is shown from the checks that the stack made, or measured now."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import promote_first
from functions.core.storage.objects import Objects
from models.catalogue import load
from tests.functions.core.watching.rows import DAY, VERSION, Service, named
from tests.functions.core.watching.rows import MODEL as TUMOUR
from tests.functions.core.watching.told import Callers, contract
from tests.sml.staged import MODEL, Staged

TODAY = (datetime.now(UTC).date() - DAY.date()).days


@pytest.fixture
def callers(staged: Staged, monkeypatch: pytest.MonkeyPatch) -> Callers:
    """Callers of a model of the stack whose version is live."""
    captures = staged.stores["s3://captures-1"] = Objects.in_memory()
    staged.outputs["models"][TUMOUR] = staged.outputs["models"][MODEL]
    Live(staged.registry, TUMOUR).change(lambda pointer: promote_first(pointer, VERSION, "run", 0.0))
    made = Callers(contract=contract({"minimum": 0.8}), service=Service(models=staged.registry, captures=captures))
    monkeypatch.setattr("sml.quality.load", lambda _: made.contract)
    return made


def checked(callers: Callers, *, wrong: float) -> None:
    callers.tell(0, callers.truths(callers.service.ask(0, 120), wrong=wrong))
    callers.qualities.settle(named(0))
    callers.checks.write(named(0), callers.checks.check(named(0), VERSION))


def test_the_newest_quality_is_shown_beside_the_holdout_and_ends_with_1_below_its_floor(
    staged: Staged, callers: Callers
) -> None:
    checked(callers, wrong=0.5)
    said = staged.sml("quality", TUMOUR)
    lines = said.out.splitlines()
    assert lines[:2] == [f"{TUMOUR} @ {VERSION[:6]}", named(0)]
    assert "of 120 labelled rows; the holdout promised 0.99 (0.98 to 1); beyond its floor of 0.8" in lines[2]
    assert lines[4].split() == ["metric", "callers", "95", "of", "100", "holdout", "95", "of", "100"]
    assert (lines[5].split()[0], said.code) == ("roc_auc", 1)
    assert staged.sml("quality", TUMOUR, "--day", named(0), "--json").document["state"] == "below"


def test_what_is_so_now_is_provisional_and_nothing_is_stored(staged: Staged, callers: Callers) -> None:
    callers.tell(TODAY, callers.truths(callers.service.ask(TODAY, 60)))
    said = staged.sml("quality", TUMOUR, "--now")
    assert (said.code, "provisional: truths of the newest days may still come" in said.out) == (0, True)
    assert callers.checks.days() == []


def test_a_check_without_a_quality_says_why(staged: Staged, callers: Callers) -> None:
    callers.service.check(0)
    assert "the check of 2026-11-02 has no quality: an older release made it" in staged.sml("quality", TUMOUR).err
    assert "pass one of them" in staged.sml("quality", TUMOUR, "--now", "--day", named(0)).err
    assert "no truth has come" in staged.sml("quality", TUMOUR, "--now").out


def test_without_the_contract_nobody_knows_what_a_truth_is(
    staged: Staged, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    del callers
    monkeypatch.setattr("sml.quality.load", load)
    said = staged.sml("quality", TUMOUR, "--now")
    assert (
        said.code,
        "what a truth of tumour is, its contract says: models/tumour/model.yaml does not" in said.err,
    ) == (
        1,
        True,
    )


def test_a_finished_model_without_classes_has_no_quality(
    staged: Staged, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished = load("file_type").model_copy(update={"scores": None})
    monkeypatch.setattr("sml.quality.load", lambda _: finished)
    callers.service.check(0)
    for options in ([], ["--now"]):
        assert "no quality is measured of tumour: it names no classes" in staged.sml("quality", TUMOUR, *options).err
