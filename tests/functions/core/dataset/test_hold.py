"""A training that its schedule started, and that waits for its slot, over a clock that only tests move."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from functions.core.dataset import read_here
from functions.core.dataset.hold import LONGEST_PAUSE, Hold
from functions.core.registry.executions import Executions
from functions.core.registry.runs import Status
from functions.core.release.supervisor import UNWOKEN
from interface.window import Window
from tests.functions.bench import MODEL, Bench, csv, rows
from tests.functions.life import QUIET, Life

HOUR = 3600
EVENING = datetime(2026, 11, 30, 20, tzinfo=UTC).timestamp()
NIGHTLY = Window(deadline_seconds=10 * HOUR, run_seconds=HOUR, between="22:00-06:00", forecast="forecast.json")
WAIT = {"model": MODEL, "action": "wait"}
GRAMS = (310, 300, 280, 240, 200, 160, 142, 150, 210, 280, 310, 340, 350)
"""By the hour, from the evening on: 142 at 02:00."""


class Clock:
    def __init__(self, now: float = EVENING) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def forecast(*grams: float, begin: float = EVENING) -> bytes:
    edges = [datetime.fromtimestamp(begin + place * HOUR, UTC).isoformat() for place in range(len(grams) + 1)]
    return json.dumps(
        [
            {"from": one, "to": other, "grams_per_kwh": value}
            for one, other, value in zip(edges, edges[1:], grams, strict=False)
        ]
    ).encode()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bench(tmp_path: Path, clock: Clock) -> Bench:
    found = Bench(folder=tmp_path)
    found.write_model()
    found.hold = Hold(window=NIGHTLY, data=found.data, clock=clock)
    found.upload(csv())
    found.data.put(f"{MODEL}/forecast.json", forecast(*GRAMS))
    return found


def note(bench: Bench, execution: str = "first") -> dict[str, Any]:
    return Executions(bench.models, MODEL).find(execution) or {}


def to_the_slot(bench: Bench, clock: Clock, execution: str = "first") -> dict[str, Any]:
    """Call the step as often as the workflow does, and return its first answer that is no wait."""
    while (answer := bench.prepare(WAIT, execution))["status"] == "waiting":
        assert 1 <= answer["wait_seconds"] <= LONGEST_PAUSE
        clock.now += answer["wait_seconds"]
    return answer


def test_a_training_waits_for_its_slot_and_its_record_says_why(bench: Bench, clock: Clock) -> None:
    answer = to_the_slot(bench, clock)
    assert (answer["status"], clock.now) == ("accepted", EVENING + 6 * HOUR)
    assert bench.record(answer["run"])["schedule"] == {
        "since": "2026-11-30T20:00:00+00:00",
        "deadline": "2026-12-01T06:00:00+00:00",
        "slot": "2026-12-01T02:00:00+00:00",
        "grams_per_kwh": 142.0,
        "at_once": 310.0,
        "saving": 0.542,
        "forecast": "forecast.json",
        "read": "2026-12-01T01:00:00+00:00",
        "reason": "142 gCO2e/kWh against 310 at once, by the forecast of forecast.json",
    }


def test_while_it_waits_its_note_says_until_when(bench: Bench) -> None:
    answer = bench.prepare(WAIT)
    assert (answer["status"], answer["run"], answer["wait_seconds"]) == ("waiting", "", LONGEST_PAUSE)
    found = note(bench)
    assert (found["status"], found["source"]) == (Status.SCHEDULED, f"{MODEL}/incoming/fruit.csv")
    assert (found["schedule"]["slot"], found["wakes"]) == ("2026-12-01T02:00:00+00:00", "2026-11-30T21:00:00+00:00")
    assert "run" not in found
    assert list(bench.registry._objects.keys(f"{MODEL}/runs")) == [], "there is no run yet"


def test_the_file_is_not_read_again_while_it_waits(bench: Bench, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[float] = []
    rows_of = read_here.open_rows

    def seen(*arguments: Any, **options: Any) -> Any:
        opened.append(clock.now - EVENING)
        return rows_of(*arguments, **options)

    monkeypatch.setattr(read_here, "open_rows", seen)
    to_the_slot(bench, clock)
    assert opened == [0, 6 * HOUR]


def test_a_newer_forecast_moves_the_slot(bench: Bench, clock: Clock) -> None:
    bench.prepare(WAIT)
    clock.now += HOUR
    bench.data.put(f"{MODEL}/forecast.json", forecast(310, 300, 280, 90, *[400] * 8))
    answer = to_the_slot(bench, clock)
    schedule = bench.record(answer["run"])["schedule"]
    assert clock.now == EVENING + 3 * HOUR
    assert (schedule["grams_per_kwh"], schedule["at_once"]) == (90.0, 310.0)


def test_a_slot_that_has_come_is_kept_whatever_a_newer_forecast_says(bench: Bench, clock: Clock) -> None:
    while bench.prepare(WAIT)["wait_seconds"] == LONGEST_PAUSE and clock.now < EVENING + 5 * HOUR:
        clock.now += HOUR
    clock.now += HOUR + 7
    bench.data.put(f"{MODEL}/forecast.json", forecast(*[900] * 8, 1, 1, 1))
    assert bench.prepare(WAIT)["status"] == "accepted"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(None, "there is no fruit/forecast.json in the data store", id="gone"),
        pytest.param(b"{", "the forecast is not understood", id="garbled"),
        pytest.param(
            forecast(*GRAMS, begin=EVENING - 24 * HOUR),
            "the forecast of forecast.json is too old: it ends at 2026-11-30T09:00:00+00:00",
            id="too old",
        ),
        pytest.param(
            forecast(310, 300), "it says nothing of any time that is left", id="of the hours before the window"
        ),
    ],
)
def test_without_a_forecast_it_begins_as_soon_as_the_window_opens_and_says_why(
    content: bytes | None, why: str, bench: Bench, clock: Clock
) -> None:
    if content is None:
        bench.hold = Hold(window=NIGHTLY, data=type(bench.data).in_memory(), clock=clock)
    else:
        bench.data.put(f"{MODEL}/forecast.json", content)
    schedule = bench.record(to_the_slot(bench, clock)["run"])["schedule"]
    assert clock.now == EVENING + 2 * HOUR
    assert schedule["reason"].startswith(f"the first time within 22:00-06:00 UTC, without a forecast: {why}")
    assert (schedule["grams_per_kwh"], schedule["saving"], schedule["forecast"]) == (None, None, None)


def test_a_forecast_that_ends_before_the_window_does_is_used_as_far_as_it_goes(bench: Bench, clock: Clock) -> None:
    bench.data.put(f"{MODEL}/forecast.json", forecast(*GRAMS[:5]))
    schedule = bench.record(to_the_slot(bench, clock)["run"])["schedule"]
    assert clock.now == EVENING + 4 * HOUR
    assert schedule["reason"].endswith("by the forecast of forecast.json, which ends at 2026-12-01T01:00:00+00:00")


def test_a_step_that_is_called_late_begins_at_once(bench: Bench, clock: Clock) -> None:
    bench.prepare(WAIT)
    clock.now = EVENING + 30 * HOUR
    assert bench.prepare(WAIT)["status"] == "accepted"


def test_where_its_window_names_hours_alone_nobody_is_asked_for_a_forecast(bench: Bench, clock: Clock) -> None:
    window = Window(deadline_seconds=10 * HOUR, run_seconds=HOUR, between="22:00-06:00")
    bench.hold = Hold(window=window, data=bench.data, clock=clock)
    schedule = bench.record(to_the_slot(bench, clock)["run"])["schedule"]
    assert (clock.now, schedule["reason"]) == (EVENING + 2 * HOUR, "the first time within 22:00-06:00 UTC")


def test_newer_data_is_trained_at_once_and_who_waits_has_nothing_left_to_do(bench: Bench, clock: Clock) -> None:
    bench.prepare(WAIT)
    newer = bench.prepare(bench.upload(csv(rows(80)), "newer.csv"), "second")
    assert newer["status"] == "accepted"
    clock.now += HOUR
    answer = bench.prepare(WAIT)
    assert (answer["status"], answer["run"]) == ("unchanged", newer["run"])
    assert "status" not in note(bench), "its run says how it stands"


def test_newer_data_that_started_nothing_is_what_is_trained_in_the_slot(bench: Bench, clock: Clock) -> None:
    bench.prepare(WAIT)
    bench.upload(csv(rows(80)), "newer.csv")
    record = bench.record(to_the_slot(bench, clock)["run"])
    assert (record["source"], record["rows"]) == (f"{MODEL}/incoming/newer.csv", 80)
    assert record["schedule"]["since"] == "2026-11-30T20:00:00+00:00"


def test_a_training_that_is_asked_for_meanwhile_ends_the_wait(bench: Bench, clock: Clock) -> None:
    bench.prepare(WAIT)
    now = bench.prepare({"model": MODEL}, "by hand")
    assert now["status"] == "accepted"
    assert "schedule" not in bench.record(now["run"])
    clock.now += HOUR
    assert bench.prepare(WAIT)["status"] == "unchanged"


def test_of_two_executions_of_one_schedule_one_trains(bench: Bench, clock: Clock) -> None:
    bench.prepare(WAIT, "delivered twice")
    assert to_the_slot(bench, clock)["status"] == "accepted"
    assert bench.prepare(WAIT, "delivered twice")["status"] == "unchanged"
    assert bench.prepare(WAIT)["status"] == "accepted", "the workflow may call a step of one execution again"


def test_what_was_judged_is_not_waited_for(bench: Bench) -> None:
    first = bench.prepare({"model": MODEL}, "by hand")
    bench.registry.update_run(first["run"], lambda record: {**record, "status": "promoted"})
    assert bench.prepare(WAIT)["status"] == "unchanged"


def test_a_dataset_that_is_of_no_use_is_rejected_at_once(bench: Bench) -> None:
    bench.upload(b"a,b\n1,2\n", "z.csv")
    assert bench.prepare(WAIT)["status"] == "rejected"


def test_where_a_stack_has_no_window_it_begins_at_once(bench: Bench) -> None:
    bench.hold = None
    answer = bench.prepare(WAIT)
    assert answer["status"] == "accepted"
    assert "schedule" not in bench.record(answer["run"])


@pytest.mark.parametrize(
    "damage",
    [b"garbage", b'{"status": "scheduled", "schedule": {"since": 5}}', b'{"status": "scheduled"}'],
    ids=["garbage", "no times", "nothing"],
)
def test_a_note_that_is_damaged_keeps_no_training_from_its_deadline(damage: bytes, bench: Bench, clock: Clock) -> None:
    bench.prepare(WAIT)
    clock.now += HOUR
    bench.models.put(Executions(bench.models, MODEL).key("first"), damage)
    answer = bench.prepare(WAIT)
    assert answer["status"] == "accepted", "nobody knows any more when it has to begin"
    assert "schedule" not in bench.record(answer["run"])


# The workflow, and the supervisor ---------------------------------------------------------------


@pytest.fixture
def life(tmp_path: Path) -> Life:
    found = Life(folder=tmp_path)
    found.upload(0)
    window = Window(deadline_seconds=10 * HOUR, run_seconds=HOUR, forecast="forecast.json")
    found.bench.hold = Hold(window=window, data=found.bench.data, clock=found.clock)
    begin = found.clock() // HOUR * HOUR
    found.bench.data.put(
        f"{MODEL}/forecast.json", forecast(300, 280, 260, 240, 220, *[100] * 3, *[400] * 9, begin=begin)
    )
    return found


def test_the_workflow_pauses_and_asks_again_until_the_slot(life: Life) -> None:
    execution, steps = life.execute(WAIT, "scheduled"), []
    while (step := execution.go_on()) is not None:
        steps.append(step)
        if step == "wait for the slot":
            life.clock.forward(HOUR)
    assert execution.end == "promoted"
    assert steps.count("wait for the slot") == steps.count("prepare") - 1 == 5
    assert life.record(life.run("scheduled"))["schedule"]["grams_per_kwh"] == 100.0


def test_the_supervisor_leaves_an_execution_alone_that_waits_and_ends_one_that_does_not_wake(life: Life) -> None:
    execution = life.execute(WAIT, "scheduled")
    execution.until("wait for the slot")
    for seconds in (HOUR, QUIET - 60):
        life.clock.forward(seconds)
        assert life.supervise() == {"ended": [], "damaged": []}
    life.clock.forward(120)
    [ended] = life.supervise()["ended"]
    assert (ended["status"], ended["cause"]) == ("failed", UNWOKEN)
    assert life.supervise()["ended"] == [], "once is enough"
    again = life.execute(WAIT, "the next")
    while again.go_on() is not None:
        life.clock.forward(HOUR)
    assert again.end == "promoted"


def test_a_schedule_of_a_model_without_data_leaves_no_record(life: Life) -> None:
    life.bench.data = type(life.bench.data).in_memory()
    assert life.execute(WAIT, "scheduled").run() == "failed"
    assert life.records() == []
