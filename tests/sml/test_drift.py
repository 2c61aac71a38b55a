"""Drift is shown from the checks that the stack made, or from one made now."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import promote_first
from functions.core.storage.objects import Objects
from models.light import replace
from tests.functions.core.watching.rows import DAY, FEATURES, OTHER, VERSION, Service, named
from tests.functions.core.watching.rows import MODEL as TUMOUR
from tests.sml.staged import MODEL, Staged

TODAY = (datetime.now(UTC).date() - DAY.date()).days


@pytest.fixture
def watched(staged: Staged) -> Service:
    """A model of the stack whose version is live, and whose rows are captured."""
    captures = staged.stores["s3://captures-1"] = Objects.in_memory()
    staged.outputs["models"][TUMOUR] = staged.outputs["models"][MODEL]
    Live(staged.registry, TUMOUR).change(lambda pointer: promote_first(pointer, VERSION, "run", 0.0))
    return Service(models=staged.registry, captures=captures)


def test_the_newest_check_is_shown_with_what_moved_and_ends_with_1_where_something_drifted(
    staged: Staged, watched: Service
) -> None:
    watched.ask(0, 600)
    watched.check(0)
    watched.ask(1, 600, shift=2.0)
    watched.check(1)
    said = staged.sml("drift", TUMOUR)
    lines = said.out.splitlines()
    assert lines[:2] == [f"{TUMOUR} @ {VERSION[:6]}", named(1)]
    assert lines[2].startswith("600 rows of 600 requests: drifted: ")
    assert [line.split()[:2] for line in lines if line.startswith(("size", "age"))] == [
        ["size", "drifted"],
        ["age", "steady"],
    ]
    assert said.code == 1
    calm = staged.sml("drift", TUMOUR, "--day", named(0))
    assert (calm.code, "as in training" in calm.out) == (0, True)


def test_a_column_is_drawn_before_and_after(staged: Staged, watched: Service) -> None:
    watched.ask(0, 1_000, other=0.5)
    watched.check(0)
    lines = [" ".join(line.split()) for line in staged.sml("drift", TUMOUR, "--column", "colour").out.splitlines()]
    assert lines[0] == "value training captured"
    assert lines[3].startswith("(other) 0.")
    assert lines[3].endswith("+")
    document = json.loads(staged.sml("drift", TUMOUR, "--column", "colour", "--json").out)
    assert document["cells"] == ["green", "red", "(other)", "missing"]


def test_what_was_captured_today_is_compared_now_and_nothing_is_stored(staged: Staged, watched: Service) -> None:
    watched.ask(TODAY, 700)
    check = json.loads(staged.sml("drift", TUMOUR, "--now", "--json").out)
    assert (check["state"], check["window"]["rows"]) == ("steady", 700)
    assert watched.checks.days() == []


def test_without_rows_it_is_said_where_they_would_come_from(staged: Staged, watched: Service) -> None:
    said = staged.sml("drift", TUMOUR, "--now")
    assert (said.code, "no row was captured" in said.out, "capture.inputs" in said.out) == (0, True, True)


def test_after_a_promotion_it_is_told_whose_rows_were_captured(staged: Staged, watched: Service) -> None:
    watched.learn(OTHER)
    watched.ask(TODAY, 30, version=OTHER)
    said = staged.sml("drift", TUMOUR, "--now")
    assert "no row was captured of this version yet, and 30 of others on this day" in said.out
    assert "capture.inputs" not in said.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            [],
            "no day of tumour was checked yet: a stack checks each day soon after its midnight, UTC; --now looks at",
        ),
        (["--day", "yesterday"], "--day: 'yesterday' is no day; accepted: a day as 2026-11-24"),
        (["--day", "2026-11-24"], "2026-11-24 was not checked; checked are none yet"),
        (["--day", "2026-11-24", "--now"], "--day and --now: pass one of them"),
        (["--now", "--column", "colour"], "--column: colour is none; nothing was compared: no row was captured"),
    ],
)
def test_what_cannot_be_shown_is_a_sentence(staged: Staged, watched: Service, arguments: list[str], told: str) -> None:
    said = staged.sml("drift", TUMOUR, *arguments)
    assert said.code != 0
    assert told in said.err


def test_a_column_that_there_is_not_names_those_that_there_are(staged: Staged, watched: Service) -> None:
    watched.ask(0, 600)
    watched.check(0)
    said = staged.sml("drift", TUMOUR, "--column", "colr")
    names = sorted([*(feature.name for feature in FEATURES), "probability of yes"])
    assert said.err.startswith("sml: --column: colr is none; compared are ")
    assert all(name in said.err for name in names)


def test_requests_that_could_not_be_counted_are_told(staged: Staged, watched: Service) -> None:
    watched.ask(0, 600)
    watched.ask(0, 2, version="f" * 16)
    watched.check(0)
    assert (
        "not counted: 2 requests of versions that are gone, or without a reference" in staged.sml("drift", TUMOUR).out
    )


def test_of_a_finished_model_it_is_told_how_many_rows_its_reference_has_so_far(
    staged: Staged, watched: Service
) -> None:
    watched.finish(OTHER)
    watched.ask_finished(0, 40)
    Live(staged.registry, TUMOUR).change(lambda pointer: replace(pointer, champion=OTHER))
    said = staged.sml("drift", TUMOUR, "--now")
    assert said.code == 0
    assert "its first 2,000 captured rows become what later ones are compared with; 40 so far" in said.out
    watched.ask_finished(0, 2_000)
    assert watched.checks.refer(OTHER, named(1))
    watched.ask_finished(TODAY, 600)
    said = staged.sml("drift", TUMOUR, "--now")
    assert f"compared with its first 2,000 captured rows, of {named(0)}" in said.out
    header = staged.sml("drift", TUMOUR, "--now", "--column", "x[0]").out.splitlines()[0].split()
    assert header == ["value", "the", "first", "captured", "rows", "captured"]


def test_a_redacted_column_is_told_not_to_be_compared(staged: Staged, watched: Service) -> None:
    watched.ask(0, 600, redacted=("age",))
    watched.check(0)
    told = "captures leave it out, or hold a digest of it: the setting capture.redact"
    assert f"not compared: age: {told}" in staged.sml("drift", TUMOUR).out
    said = staged.sml("drift", TUMOUR, "--column", "age")
    assert (said.code, said.err.strip()) == (1, f"sml: --column: age is not compared: {told}")
