"""A training that waits for its slot, as commands tell of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sml.staged import MODEL, Staged

SCHEDULE = {
    "since": "2026-11-30T20:00:00+00:00",
    "deadline": "2026-12-01T06:00:00+00:00",
    "slot": "2026-12-01T02:00:00+00:00",
    "grams_per_kwh": 142.0,
    "at_once": 310.0,
    "saving": 0.542,
    "forecast": "example.org",
    "read": "2026-11-30T20:00:00+00:00",
    "reason": "142 gCO2e/kWh against 310 at once, by the forecast of example.org",
}
WAITS = (
    "until 2026-12-01 02:00 UTC: 142 gCO2e/kWh against 310 at once, by the forecast of example.org;"
    f" at the latest 2026-12-01 06:00 UTC; `sml retrain {MODEL}` begins at once"
)


def scheduled(staged: Staged, name: str = "id-1", model: str = MODEL, **facts: Any) -> None:
    """Put the note of an execution that waits into the registry."""
    known = {"execution": name, "created": "2026-11-30T20:00:00+00:00", "source": f"{model}/incoming/a.csv"}
    note = {**known, "status": "scheduled", "schedule": SCHEDULE, **facts}
    staged.registry.put_json(f".executions/{model}/{name}.json", note)


def test_a_training_that_waits_is_listed_with_until_when_and_why(staged: Staged) -> None:
    staged.run("aa01", created="2026-11-01T00:00:00+00:00")
    scheduled(staged)
    listed = staged.sml("runs", MODEL).out.splitlines()
    assert [line.split()[0] for line in listed[1:]] == ["scheduled", "aa01", MODEL]
    assert listed[-1] == f"{MODEL} waits {WAITS}"
    [document, _] = staged.sml("runs", MODEL, "--json").document
    assert (document["status"], document["run"], document["schedule"]) == ("scheduled", "", SCHEDULE)


def test_the_status_of_the_stack_says_who_waits(staged: Staged) -> None:
    scheduled(staged)
    assert WAITS in " ".join(staged.sml("status").out.split())
    assert staged.sml("status", "--json").document["scheduled"] == {MODEL: [WAITS]}


@pytest.mark.parametrize(
    "facts",
    [{"run": "aa01", "status": None}, {"status": "received"}, {"schedule": None}, {"schedule": "soon"}],
    ids=["begun", "received", "without a schedule", "damaged"],
)
def test_no_other_execution_is_taken_for_one(facts: dict[str, Any], staged: Staged) -> None:
    scheduled(staged, **facts)
    staged.registry.put(f".executions/{MODEL}/ended.json", b"")
    staged.registry.put(f".executions/{MODEL}/garbage.json", b"{")
    assert "there is no run yet" in staged.sml("runs", MODEL).out
    assert staged.sml("status", "--json").document["scheduled"] == {}


def test_a_run_that_waited_shows_when_it_began_and_what_that_saved(staged: Staged) -> None:
    staged.run("aa01", schedule=SCHEDULE)
    told = " ".join(staged.sml("show", MODEL, "aa01").out.split())
    assert f"began 2026-12-01 02:00 UTC: {SCHEDULE['reason']}, 54% less" in told


def test_a_training_may_be_asked_for_in_the_window(staged: Staged) -> None:
    staged.data.put(f"{MODEL}/incoming/a.csv", b"x")
    assert staged.sml("retrain", MODEL, "--window").code == 0
    assert staged.started == [{"model": MODEL, "action": "wait"}]


def test_who_follows_a_training_hears_until_when_it_waits(staged: Staged) -> None:
    staged.data.put(f"{MODEL}/incoming/a.csv", b"x")
    scheduled(staged, "id-7")
    said = staged.sml("retrain", MODEL, "--window", "--wait", "--timeout", "1")
    assert said.code == 4
    assert "scheduled    until 2026-12-01 02:00 UTC: 142 gCO2e/kWh" in said.err + said.out
