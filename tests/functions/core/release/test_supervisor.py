"""The supervisor over one model, whose rollout plan and clock are the test's own."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any

import pytest

from functions.core.registry.executions import Executions
from functions.core.registry.pointer import Turn, begin, promote_first, wait, withdraw
from functions.core.release.approval import ask_approval
from functions.core.release.judge import UNJUDGED
from functions.core.release.supervisor import UNRELEASED, Supervisor
from functions.core.runtime.log import Log
from functions.core.storage.objects import Objects
from interface.rollout import RolloutPlan
from tests.functions.bench import MODEL
from tests.functions.life import BAKE, LONG, QUIET, Life

PLAN = RolloutPlan(steps=(10,), bake_seconds=60, patience=3)
LATE = 60 + 60 * 3 + 60
"""Seconds after which nobody judges a step any more."""


@pytest.fixture
def life(tmp_path: Path) -> Life:
    return Life(folder=tmp_path)


class Counting(Objects):
    """A store that counts what it is asked."""

    asked = 0

    def _found(self, read: Any, key: str) -> Any:
        self.asked += 1
        return super()._found(read, key)

    def entries(self, prefix: str, *, after: str | None = None) -> Any:
        self.asked += 1
        return super().entries(prefix)

    def _put(self, *arguments: Any, **options: Any) -> None:
        self.asked += 1
        super()._put(*arguments, **options)


def supervisor(models: Objects, later: float = 0.0, lines: io.StringIO | None = None) -> Supervisor:
    log = Log(stream=lines or io.StringIO())
    return Supervisor(models, [MODEL], plan=PLAN, quiet_seconds=QUIET, log=log, clock=lambda: time.time() + later)


def test_a_look_at_a_model_that_is_well_asks_the_store_seven_times(life: Life) -> None:
    life.released(0)
    life.clock.forward(LONG)
    life.supervise()
    life.models.put("another model/live.json", b"garbage")
    store = Counting(life.models._store)
    assert supervisor(store, LONG).act({}) == {"ended": [], "damaged": []}
    assert store.asked == 7


def test_a_release_is_left_alone_until_its_judge_is_later_than_a_judge_can_be(life: Life) -> None:
    life.released(0)
    now = time.time()
    life.live.change(lambda pointer: begin(pointer, "v2", "second", 10, now))
    life.bench.registry.write_run("second", {"run": "second", "status": "canary"})
    assert supervisor(life.models, LATE - 5).act({})["ended"] == []
    [ended] = supervisor(life.models, LATE + 5).act({})["ended"]
    assert (ended["run"], ended["status"], ended["cause"]) == ("second", "failed", UNJUDGED)
    assert life.pointer.history[-1].reason == UNJUDGED


def test_who_waits_and_does_not_ask_any_more_loses_its_place(life: Life) -> None:
    life.released(0)
    now = time.time()
    turns = [Turn(run=run, version=run, asked=now + asked) for run, asked in (("gone", 0), ("there", 300))]
    for turn in turns:
        life.live.change(lambda pointer, turn=turn: wait(pointer, turn))
        life.bench.registry.write_run(turn.run, {"run": turn.run, "status": "registered"})
    [ended] = supervisor(life.models, LATE + 5).act({})["ended"]
    assert (ended["run"], ended["cause"]) == ("gone", UNRELEASED)
    assert [turn.run for turn in life.pointer.waiting] == ["there"]


@pytest.mark.parametrize(("event", "status"), [("promoted", "promoted"), ("rolled_back", "rolled_back")])
def test_a_record_that_the_last_step_did_not_write_follows_the_pointer(event: str, status: str, life: Life) -> None:
    life.released(0)
    execution = life.execute(life.upload(1), "lost")
    while execution.go_on() is not None:
        life.clock.forward(BAKE / 2)
    run = life.run("lost")
    if event == "rolled_back":
        life.live.change(lambda pointer: withdraw(begin(pointer, "v3", run, 10, 0.0), 0.0, "errors: 5 of 5 requests"))
    life.bench.registry.update_run(run, lambda record: {**record, "status": "canary"})
    life.clock.forward(LONG)
    assert life.supervise() == {"ended": [], "damaged": []}
    assert life.record(run)["status"] == status


def test_a_run_that_another_execution_has_taken_over_is_left_to_that_one(life: Life) -> None:
    request = life.upload(0)
    life.execute(request, "stopped").until("experiments")
    life.execute(request, "again").until("experiments")
    Executions(life.models, MODEL).end("again")  # as if its note were too young to look at
    life.clock.forward(LONG)
    assert life.supervise()["ended"] == []
    assert life.record(life_run(life))["status"] == "training"


def life_run(life: Life) -> str:
    return next(record["run"] for record in life.records())


def test_a_run_of_which_something_was_written_lately_goes_on(life: Life) -> None:
    life.execute(life.upload(0), "slow").until("select")
    assert supervisor(life.models, QUIET - 60).act({})["ended"] == []
    assert len(supervisor(life.models, QUIET + 60).act({})["ended"]) == 1


def test_a_model_that_cannot_be_looked_after_keeps_no_other_from_it(life: Life) -> None:
    class Away(Objects):
        def find(self, key: str) -> bytes | None:
            if key.startswith("away/"):
                raise OSError("the store is away")
            return super().find(key)

    life.execute(life.upload(0), "stopped").until("experiments")
    lines = io.StringIO()
    log = Log(stream=lines)
    both = Supervisor(
        Away(life.models._store),
        ["away", MODEL],
        plan=PLAN,
        quiet_seconds=QUIET,
        log=log,
        clock=lambda: time.time() + LONG,
    )
    with pytest.raises(OSError, match="away"):
        both.act({})
    assert life.record(life_run(life))["status"] == "failed"
    assert "NotSupervised" in {json.loads(line).get("metric") for line in lines.getvalue().splitlines()}


def test_a_champion_is_never_touched(life: Life) -> None:
    life.live.change(lambda pointer: promote_first(pointer, "v1", "first", 0.0))
    supervisor(life.models, 10 * LONG).act({})
    assert life.pointer.champion == "v1"


def test_what_waits_for_approval_is_left_alone_and_told_once_a_day(life: Life) -> None:
    life.released(0)
    turn = Turn(run="waits", version="v2", asked=time.time())
    life.live.change(lambda pointer: ask_approval(pointer, turn))
    record = {"run": "waits", "status": "awaiting_approval", "version": "v2", "execution": "x"}
    life.bench.registry.write_run("waits", record)
    Executions(life.models, MODEL).note("x", run="waits")
    day, told = 86_400, []
    for later in (day - 60, day + 60, day + 360, 2 * day - 60, 2 * day + 90, 400 * day):
        lines = io.StringIO()
        assert supervisor(life.models, later, lines).act({})["ended"] == []
        told.append(sum('"metric": "AwaitingApproval"' in line for line in lines.getvalue().splitlines()))
    assert told == [0, 1, 0, 0, 1, 1]
    assert life.pointer.awaiting == (turn,)
    assert life.bench.registry.read_run("waits") == record
    life.models.put(f"{MODEL}/supervised/reminded.json", b"garbage")
    supervisor(life.models, 400 * day).act({})
