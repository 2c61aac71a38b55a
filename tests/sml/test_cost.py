"""What a model used is shown beside what was estimated, for people and for scripts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.core.registry import usage_records
from functions.core.registry.captures import folder
from functions.core.registry.daily_usage import DailyUsage, Day
from functions.core.runtime.usage import Usage
from functions.core.storage.objects import Objects
from interface import layout
from sml.cost import compared, since
from sml.mistake import Mistake
from tests.sml.staged import MODEL, Staged

NOW = datetime.now(UTC).replace(hour=0, minute=0, second=1)
YESTERDAY = f"{NOW - timedelta(days=1):%Y-%m-%d}"
RUN = "0123456789abcdef"
ONE = Usage(100, 0.5, 0.25, 0.002, 0.0004, 2.0, 1.0)
ESTIMATE = {
    "region": "eu-central-1",
    "prices_read_on": "2026-11-29",
    "traffic": {"rows_a_request": 2, "milliseconds_a_request": 4.0, "seconds_an_experiment": 30.0},
    "usd": {"thousand_predictions": 0.04, "training_run": 0.004, "idle_month": 0.0, "month": 1.0},
    "grams": {"thousand_predictions": 15.0, "training_run": 12.0, "idle_month": 0.0, "month": 1.0},
}


def _captured(captures: Objects, used: Usage) -> None:
    name = f"{usage_records.stamp(0)}{usage_records.written({'a1': used})}.jsonl"
    captures.put(f"{folder(MODEL, NOW.timestamp())}/{name}", b"{}")


@pytest.fixture
def used(staged: Staged) -> Staged:
    """A stack in which a model answered, was trained and did a job, today, and of which yesterday is summed."""
    captures = staged.stores["s3://captures-1"] = Objects.in_memory()
    at = NOW.timestamp()
    _captured(captures, ONE)
    for step in ("prepare", "train", "train"):
        usage_records.note(staged.registry, f"{MODEL}/{layout.RUNS}{RUN}", {step: ONE._replace(calls=1)}, at)
    usage_records.note(staged.stores["s3://jobs-1"], f"{layout.JOB_WORK}{MODEL}/job-1", {"a1": ONE}, at)
    usage = DailyUsage(model=MODEL, models=staged.registry, captures=captures, jobs=staged.stores["s3://jobs-1"])
    usage.write(YESTERDAY, Day(predictions={"b2": ONE}))
    staged.outputs["estimate"] = ESTIMATE
    return staged


def test_what_was_used_is_the_stored_sums_of_other_days_and_the_records_of_today(used: Staged) -> None:
    said = json.loads(used.sml("cost", MODEL, "--json").out)
    assert said["total"]["gb_seconds"] == pytest.approx(0.25 * 6)
    assert {day for day, one in said["days"].items() if one["calls"]} == {YESTERDAY, f"{NOW:%Y-%m-%d}"}
    assert len(said["days"]) == 7
    assert sorted(said["predictions"]) == ["a1", "b2"]
    assert said["runs"][RUN]["train"]["calls"] == 2


def test_days_before_those_that_are_asked_for_are_left_out(used: Staged) -> None:
    said = json.loads(used.sml("cost", MODEL, "--since", "1d", "--json").out)
    assert sorted(said["predictions"]) == ["a1"]


def test_a_page_says_each_version_each_step_and_each_day(used: Staged) -> None:
    said = used.sml("cost", MODEL).out
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert "predictions a1 100 5 0.25 0.002 0.4 3 0.02 30" in lines
    assert "training train 2 500 0.5 0.004 0.8 6 2 3,000" in lines
    assert f"{YESTERDAY} 100 0.25 0.002 3" in lines


def test_measured_stands_beside_estimated_with_where_they_part(used: Staged) -> None:
    said = used.sml("cost", MODEL).out
    assert "1,000 requests: 0.02 USD measured, 0.08 estimated: 4 times as much was estimated" in said
    assert "1,000 requests: 30 g CO2e measured, 30 estimated: 1 times what was estimated" in said
    assert "  ms a request: 5 billed, 4 assumed on a whole processor" in said
    assert "a training run: 0.006 USD measured, 0.004 estimated: 1.5 times what was estimated" in said
    assert "  s an experiment: 0.5 billed, 30 assumed on a whole processor" in said
    assert "prices of 2026-11-29, eu-central-1" in said


def test_what_is_charged_nothing_is_said_without_a_ratio(used: Staged) -> None:
    captures = used.stores["s3://captures-1"] = Objects.in_memory()
    _captured(captures, ONE._replace(usd=0.0, grams_operational=0.0, grams_embodied=0.0))
    said = used.sml("cost", MODEL, "--since", "1d")
    assert (said.code, said.err) == (0, "")
    assert "1,000 requests: 0 USD measured, 0.08 estimated: nothing of that was measured" in said.out


@pytest.mark.parametrize(
    "estimate", [None, {**ESTIMATE, "usd": None, "grams": None}], ids=["older release", "region without prices"]
)
def test_without_an_estimate_what_was_measured_is_said_alone(estimate: Any, used: Staged) -> None:
    used.outputs.update({"estimate": estimate})
    said = used.sml("cost", MODEL)
    assert (said.code, "no estimate: the outputs of this stack hold none" in said.out) == (0, True)
    assert json.loads(used.sml("cost", MODEL, "--json").out)["total"]["calls"] == 303


def test_a_model_that_measured_nothing_says_what_would_change_that(staged: Staged) -> None:
    staged.stores["s3://captures-1"] = Objects.in_memory()
    said = staged.sml("cost", MODEL)
    assert (said.code, "nothing was measured in these days" in said.out) == (0, True)
    assert json.loads(staged.sml("cost", MODEL, "--json").out)["compared"] == []


def test_a_stack_whose_outputs_name_no_captures_is_a_sentence(staged: Staged) -> None:
    del staged.outputs["captures_url"]
    said = staged.sml("cost", MODEL)
    assert (said.code, "name no store of captures" in said.err) == (1, True)


def test_a_damaged_sum_is_a_sentence_that_says_what_mends_it(used: Staged) -> None:
    used.registry.put(f"{MODEL}/{layout.USAGE}{YESTERDAY}.json", b"{cut off")
    said = used.sml("cost", MODEL)
    assert (said.code, f"{YESTERDAY}.json is damaged: delete it" in said.err) == (1, True)


@pytest.mark.parametrize("text", ["7", "0d", "7x", "401d", "2999-01-01", "2020-01-01", "", "-3d"], ids=str)
def test_days_that_are_none_are_refused_with_what_is_accepted(text: str, used: Staged) -> None:
    said = used.sml("cost", MODEL, f"--since={text}")
    assert (said.code, "accepted: days as 7d, at most 400d, or the first day, as 2026-11-24" in said.err) == (1, True)


def test_days_are_counted_or_begin_with_one() -> None:
    today = datetime(2026, 11, 30, tzinfo=UTC).date()
    assert since("2d", today) == since("2026-11-29", today) == ["2026-11-29", "2026-11-30"]
    with pytest.raises(Mistake, match="2026-12-01"):
        since("2026-12-01", today)


def test_a_run_that_only_released_a_version_is_no_training_run() -> None:
    assert compared(Day(runs={RUN: {"rollout": ONE}}), ESTIMATE) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--bill",), "nobody bills the stack local, which runs on this machine; accepted: one in an account"),
        (("--table", "p.d.t"), "--table is what --bill reads: pass both"),
    ],
    ids=["bill", "table alone"],
)
def test_a_bill_that_there_is_none_of_is_a_sentence(arguments: tuple[str, ...], said: str, used: Staged) -> None:
    told = used.sml("cost", MODEL, *arguments)
    assert (told.code, said in told.err) == (1, True)


def test_the_bill_stands_below_what_was_measured(used: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def bill(_: Any, *arguments: Any) -> list[dict[str, Any]]:
        asked.append(arguments[1:])
        return [{"service": "AWS Lambda", "amount": 0.5, "currency": "USD"}]

    monkeypatch.setattr("sml.embedded_cloud.EmbeddedCloud.bill", bill)
    said = used.sml("cost", MODEL, "--since", "2d", "--bill")
    assert " ".join(said.out.splitlines()[-1].split()) == "AWS Lambda 0.5 USD"
    assert asked == [("local", YESTERDAY, f"{NOW + timedelta(days=1):%Y-%m-%d}", None)]
    assert json.loads(used.sml("cost", MODEL, "--bill", "--json").out)["bill"][0]["amount"] == 0.5
