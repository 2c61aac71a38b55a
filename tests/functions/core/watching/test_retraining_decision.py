from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from functions.core.registry.runs import Status
from functions.core.watching.retraining_decision import DAY, HOUR, Asked, Decision, Seen, cool_down_seconds, decide
from interface.retraining import RetrainingPolicy

NOW = 1_764_547_200.0  # 2025-12-01 00:00 UTC
POLICY = RetrainingPolicy(rows=1000, days=30)
DRIFT, QUALITY = ("drift", "size has drifted"), ("quality", "accuracy is 0.7")


def asked(days: float, status: str | None = Status.PROMOTED, **more: Any) -> Asked:
    """Return a training that was asked for so many days ago."""
    known: dict[str, Any] = {"cause": "drift", "source": f"s{days}", "until": "2025-11-01", "rows": 300, **more}
    return Asked(at=NOW - days * DAY, status=status, **known)


def decided(*past: Asked, causes: Any = (DRIFT,), rows: int = 500, policy: Any = POLICY, **seen: Any) -> Decision:
    return decide(policy, Seen(causes=causes, rows=rows, **seen), past, NOW)


def test_drift_has_a_model_trained_again_where_there_is_something_to_learn() -> None:
    assert decided() == Decision(begin=True, cause="drift", said="size has drifted")


def test_of_several_causes_the_first_is_told() -> None:
    assert decided(causes=(QUALITY, DRIFT), rows=2000).cause == "drift"
    assert decided(causes=(QUALITY,), rows=2000).cause == "quality"
    assert decided(causes=(), rows=2000).cause == "rows"


@pytest.mark.parametrize("named", ["drift", "quality"])
def test_a_cause_that_the_policy_does_not_know_is_none(named: str) -> None:
    found = decided(causes=(DRIFT if named == "drift" else QUALITY,), policy=replace(POLICY, **{named: False}))
    assert (found.begin, found.cause) == (False, None)


def test_enough_labelled_rows_are_a_cause_of_their_own() -> None:
    assert decided(causes=(), rows=999).cause is None
    found = decided(causes=(), rows=1000)
    assert found.begin
    assert found.said == "1,000 rows were labelled since the last training; 1,000 have it trained again"


def test_so_are_enough_days_since_the_last_training_or_since_the_live_version() -> None:
    assert decided(asked(29), causes=()).cause is None
    assert decided(asked(30), causes=()).cause == "schedule"
    assert decided(causes=(), since=NOW - 30 * DAY).begin
    assert decided(causes=(), since=NOW - 29 * DAY).cause is None
    assert decided(causes=()).cause is None


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        ({"rows": 199}, "there is nothing to learn from: 199 rows were labelled since the last training, and 200 are"),
        (
            {"lacks": ("customer",)},
            "labelled rows lack customer, which no request has or no capture keeps: upload a dataset",
        ),
        ({"base": "the dataset is gone"}, "the dataset is gone"),
    ],
)
def test_without_anything_to_learn_from_it_is_told_and_nothing_begins(seen: dict[str, Any], why: str) -> None:
    found = decided(**seen)
    assert (found.begin, found.cause) == (False, "drift")
    assert found.said.startswith(f"size has drifted; {why}")


@pytest.mark.parametrize("status", [None, *sorted({*Status} - {"rejected", "refused", "superseded", "promoted"})])
def test_nothing_begins_while_another_is_under_way_or_came_to_nothing_today(status: str | None) -> None:
    assert not decided(asked(0.5, status)).begin


def test_a_training_of_which_nothing_is_known_for_a_day_came_to_nothing() -> None:
    assert "is under way" in decided(asked(0.9, None)).said
    assert "is no better" in decided(asked(1.1, None)).said


def test_after_a_promotion_a_day_passes_and_longer_after_a_long_training() -> None:
    assert "the next is not before 2025-12-01 12:00 UTC" in decided(asked(0.5)).said
    assert decided(asked(1.0)).begin
    assert not decided(asked(1.0, seconds=13 * HOUR)).begin
    assert decided(asked(26 / 24, seconds=13 * HOUR)).begin


def test_the_cool_down_doubles_with_each_that_came_to_nothing_up_to_a_week_and_begins_anew_with_a_promotion() -> None:
    def days(*statuses: str) -> float:
        past = [asked(20 - at, status) for at, status in enumerate(statuses)]
        return cool_down_seconds(POLICY, past, NOW) / DAY

    no, yes = Status.REFUSED, Status.PROMOTED
    assert [days(*[no] * count) for count in range(1, 6)] == [2, 4, 7, 7, 7]
    assert days(no, no, Status.ROLLED_BACK) == 7
    assert days(no, no, yes) == 1
    assert days(no, no, yes, no) == 2
    assert cool_down_seconds(POLICY, [asked(30, seconds=30 * DAY)], NOW) == 7 * DAY
    assert cool_down_seconds(POLICY, [], NOW) == 0


def test_no_more_begin_in_a_month_than_the_policy_says() -> None:
    past = [asked(days) for days in (31, 20, 15, 10, 5)]
    assert decided(*past).said == "size has drifted; 4 were asked for in 30 days, the most (retraining.runs_a_month)"
    assert decided(*past[:-1]).begin


def test_a_model_that_drifts_every_day_is_not_trained_in_a_loop() -> None:
    """A year of drift and of trainings that the gate refuses, looked at every night."""
    past: list[Asked] = []
    for day in range(365):
        now = NOW + day * DAY
        found = decide(replace(POLICY, runs_a_month=30), Seen(causes=(DRIFT,), rows=500), past, now)
        if found.begin:
            past.append(replace(asked(0, Status.REFUSED), at=now))
    assert len(past) == 3 + (365 - 7) // 7


def test_a_policy_travels_as_json() -> None:
    assert RetrainingPolicy.from_json(POLICY.to_json()) == POLICY
