"""What docs/reliability.md promises: nothing is lost, nothing is done twice, and somebody is told."""

from __future__ import annotations

import contextlib
import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import obstore
import pytest

from functions.core.registry.executions import Executions
from functions.core.registry.live_pointer import UnreadablePointer
from functions.core.release.damage import PARTS
from functions.core.release.supervisor import Supervisor
from functions.core.storage.objects import Objects
from tests.functions.bench import MODEL
from tests.functions.life import BAKE, LONG, PLAN, QUIET, Life
from tests.functions.serving import MODEL as TUMOUR
from tests.functions.serving import Bench as Serving
from tests.functions.serving import model_bytes


@pytest.fixture
def life(tmp_path: Path) -> Life:
    return Life(folder=tmp_path)


@pytest.mark.parametrize("seed", range(3))
def test_of_30_datasets_at_once_the_newest_has_its_turn_and_older_ones_are_superseded(seed: int, life: Life) -> None:
    life.released(0)
    order = random.Random(seed)  # noqa: S311 - a shuffle
    numbers = range(1, 31)
    executions = {number: life.execute(life.upload(number), f"execution-{number}") for number in numbers}
    for number in order.sample(numbers, len(numbers)):
        executions[number].until("release")
    runs = {number: life.run(f"execution-{number}") for number in numbers}
    waiting = dict(executions)
    while waiting:
        for number in order.sample(list(waiting), len(waiting)):
            execution = waiting[number]
            execution.go_on()  # a pause, or a choice
            execution.until("bake")
            if execution.end:
                del waiting[number]
        life.clock.forward(BAKE + 1)
    ends = {number: execution.end for number, execution in executions.items()}
    assert set(ends.values()) == {"promoted", "superseded"}
    assert ends[30] == "promoted"
    assert life.pointer.champion == life.record(runs[30])["version"]
    by_run = {run: number for number, run in runs.items()}
    for number, run in runs.items():
        record = life.record(run)
        assert record["status"] == ends[number]
        if record["status"] == "superseded":
            assert by_run[record["superseded_by"]] > number
            assert life.pointer.last(run) is None
    counts = Counter(entry.run for entry in life.pointer.history if entry.event in ("promoted", "rolled_back"))
    assert set(counts.values()) == {1}
    assert life.pointer.waiting == ()


STEPS = ["prepare", "is it usable", "experiments", "select", "is it good enough", "release", "bake", "judge"]


@pytest.mark.parametrize("step", STEPS)
def test_an_execution_that_is_stopped_before_any_step_is_ended_by_the_supervisor_and_its_dataset_carries_on(
    step: str, life: Life
) -> None:
    champion = life.released(0)
    request = life.upload(1)
    life.execute(request, "stopped").until(step)
    assert life.supervise() == {"ended": [], "damaged": []}, "it may still be at work"
    life.clock.forward(LONG)
    noted = step != "prepare"
    ended = life.supervise()["ended"]
    assert [run["run"] for run in ended] == ([life.record(life_run(life))["run"]] if noted else [])
    assert ("RunEnded" in life.told()) == noted
    assert life.supervise() == {"ended": [], "damaged": []}, "once is enough"
    pointer = life.pointer
    assert (pointer.champion, pointer.challenger, pointer.weight) == (champion, None, 0)
    if noted:
        record = life.record(life_run(life))
        assert (record["status"], record["source"]) == ("failed", request["source"])
        assert "execution" in record["cause"]
    again = life.execute(request, "again")
    while again.go_on() is not None:
        life.clock.forward(BAKE / 2)
    assert again.end == "promoted"
    assert [record["status"] for record in life.records()].count("promoted") == 2
    assert len({key.split("/")[2] for key in life.models.keys(f"{MODEL}/versions")}) == 2


def life_run(life: Life) -> str:
    """Return the run that is neither the first champion's nor promoted."""
    return next(record["run"] for record in life.records() if record["status"] != "promoted")


class Killed(BaseException):
    """The process has ended in the middle of a step, and its execution with it."""


class Killing(Objects):
    """A store whose writer is killed before the write whose number is `deadly`."""

    def __init__(self, objects: Objects, writes: Iterator[int], deadly: int) -> None:
        super().__init__(objects._store)
        self._writes, self._deadly = writes, deadly

    def _put(self, key: str, data: Any, **options: Any) -> None:
        if next(self._writes) == self._deadly:
            raise Killed(key)
        super()._put(key, data, **options)


WRITES = 27
"""Writes of an execution from the upload to the promotion of a challenger."""


@pytest.mark.parametrize("deadly", range(WRITES))
def test_an_execution_that_is_killed_before_any_write_loses_nothing_and_leaves_nothing_open(
    deadly: int, life: Life
) -> None:
    champion, request = life.released(0), life.upload(1)
    whole, writes = life.bench, count()
    life.bench = replace(whole, data=Killing(whole.data, writes, deadly), models=Killing(whole.models, writes, deadly))
    execution = life.execute(request, "killed")
    with contextlib.suppress(Killed):
        while execution.go_on() is not None:
            life.clock.forward(BAKE / 2)
    life.bench = whole
    life.clock.forward(LONG)
    life.supervise()
    assert life.supervise() == {"ended": [], "damaged": []}
    assert life.pointer.challenger is None
    assert {record["status"] for record in life.records()} <= {"promoted", "failed"}
    if deadly:
        assert len(life.records()) == 2, "the dataset that was received has a record"
    if life.pointer.champion == champion:
        again = life.execute(request, "again")
        while again.go_on() is not None:
            life.clock.forward(BAKE / 2)
        assert again.end == "promoted"
    promoted = [entry.version for entry in life.pointer.history if entry.event == "promoted"]
    assert len(promoted) == len(set(promoted)) == 2
    assert life.pointer.champion == promoted[-1]


def test_an_execution_was_killed_before_each_of_its_writes(life: Life) -> None:
    life.released(0)
    request, writes = life.upload(1), count()
    life.bench = replace(
        life.bench, data=Killing(life.bench.data, writes, -1), models=Killing(life.bench.models, writes, -1)
    )
    execution = life.execute(request, "whole")
    while execution.go_on() is not None:
        life.clock.forward(BAKE / 2)
    assert next(writes) == WRITES


# Objects that are damaged ----------------------------------------------------------------------

DAMAGES = {"garbage": b"\x00 no longer what it was", "deleted": None}
damaged = pytest.mark.parametrize("damage", DAMAGES)


def harm(objects: Objects, key: str, damage: str) -> None:
    """Damage an object, or delete it."""
    assert objects.exists(key), key
    content = DAMAGES[damage]
    if content is None:
        obstore.delete(objects._store, key)
    else:
        objects.put(key, content)


class Served:
    """A champion and a challenger, a copy that has answered before, and what becomes of them."""

    def __init__(self) -> None:
        self.bench = Serving()
        self.first = self.bench.champion()
        self.second = self.bench.register(model_bytes(slope=2.0))
        record = {"run": "second", "status": "registered", "version": self.second, "execution": "x"}
        self.bench.registry.write_run("second", record)
        Executions(self.bench.models, TUMOUR).note("x", run="second")
        self.rollout("release")
        self.bench.predict()
        assert self.supervise() == []

    def rollout(self, action: str) -> str:
        return self.bench.rollout.act({"action": action, "model": TUMOUR, "run": "second"})["status"]

    def supervise(self, later: float = 0.0) -> list[str]:
        """Return the keys of what the supervisor finds damaged."""
        supervisor = Supervisor(
            self.bench.models,
            [TUMOUR],
            plan=PLAN,
            quiet_seconds=QUIET,
            log=self.bench.log,
            clock=lambda: self.bench.clock() + later,
        )
        return supervisor.act({})["damaged"]

    def told(self) -> set[str]:
        lines = map(json.loads, self.bench.lines.getvalue().splitlines())
        return {line["metric"] for line in lines if "metric" in line}

    def warm(self) -> tuple[int, str | None]:
        """Return what a caller gets from the copy that has answered before, once it has looked again."""
        self.bench.clock.forward(6)
        return answered(self.bench)

    def cold(self) -> tuple[int, str | None]:
        """Return what a caller gets from a new copy."""
        return answered(Served.copy(self.bench))

    @staticmethod
    def copy(bench: Serving) -> Serving:
        """Return another copy of the function over the same models."""
        found = Serving()
        for cache in (found.model_cache._live, found.model_cache._registry):
            cache._objects = bench.models
        return found


def answered(bench: Serving) -> tuple[int, str | None]:
    response = bench.predict()
    return response.status, response.headers.get("x-model-version")


@pytest.fixture
def served() -> Served:
    return Served()


@damaged
def test_a_damaged_pointer_is_reported_and_warm_copies_go_on(damage: str, served: Served) -> None:
    key = served.bench.live.key
    harm(served.bench.models, key, damage)
    assert served.warm() == (200, served.first)
    assert served.cold() == (503, None)
    assert served.supervise() == [key]
    assert "PointerUnreadable" in served.told()
    event = "pointer gone" if damage == "deleted" else "pointer unreadable"
    line = next(line for line in served.bench.logged(event) if "repair" in line)
    assert (line["key"], "registry verify --repair" in line["reason"]) == (key, True)
    assert served.bench.models.get_json(f"{TUMOUR}/supervised/seen.json")["pointer"]["champion"] == served.first


def test_a_step_that_meets_a_damaged_pointer_fails_by_its_name_and_leaves_a_record(served: Served) -> None:
    harm(served.bench.models, served.bench.live.key, "garbage")
    for action in ("release", "judge"):
        with pytest.raises(UnreadablePointer, match=r"tumour/live.json is damaged: .* `registry verify --repair`"):
            served.rollout(action)
    given = {"execution": "x", "input": {"source": f"{TUMOUR}/incoming/a.csv"}, "cause": "judge: damaged"}
    assert served.bench.rollout.act({"action": "abandon", **given}) == {"run": "second"}
    record = served.bench.registry.read_run("second") or {}
    assert record["status"] == "failed"
    assert "the challenger could not be withdrawn: tumour/live.json is damaged" in record["cause"]


@damaged
@pytest.mark.parametrize("part", PARTS)
def test_a_champion_that_is_damaged_is_reported_and_warm_copies_go_on(damage: str, part: str, served: Served) -> None:
    key = served.bench.registry.key(served.first, part)
    harm(served.bench.models, key, damage)
    assert served.warm() == (200, served.first)
    assert served.cold() == (503, None)
    assert served.supervise() == [key] == served.supervise()
    assert "VersionDamaged" in served.told()


@damaged
@pytest.mark.parametrize("part", PARTS)
def test_a_challenger_that_is_damaged_is_reported_and_rolled_back(damage: str, part: str, served: Served) -> None:
    key = served.bench.registry.key(served.second, part)
    harm(served.bench.models, key, damage)
    assert served.warm()[0] == served.cold()[0] == 200
    assert served.supervise() == [key]
    served.bench.clock.forward(BAKE)
    assert served.rollout("judge") == "rolled_back"
    assert served.supervise() == []
    assert served.cold() == (200, served.first)


def test_a_version_that_was_written_anew_as_it_was_is_no_damage(served: Served) -> None:
    key = served.bench.registry.key(served.first, "model.onnx")
    content = served.bench.models.get(key)
    harm(served.bench.models, key, "garbage")
    assert served.supervise() == [key]
    served.bench.models.put(key, content)
    assert served.supervise() == []


@damaged
def test_a_record_that_is_damaged_is_written_anew_and_nobody_notices(damage: str, served: Served) -> None:
    harm(served.bench.models, served.bench.registry.run_key("second", "run.json"), damage)
    assert (served.warm()[0], served.supervise()) == (200, [])
    served.bench.clock.forward(BAKE)
    assert served.rollout("judge") == "canary"
    assert (served.bench.registry.read_run("second") or {})["status"] == "canary"


@damaged
def test_a_note_that_is_damaged_is_reported_once_and_makes_up_no_run(damage: str, served: Served) -> None:
    harm(served.bench.models, Executions(served.bench.models, TUMOUR).key("x"), damage)
    served.bench.clock.now = time.time() + QUIET + 60
    for _ in range(2):
        assert served.supervise() == []
    assert len(served.bench.logged("note unreadable")) == (damage == "garbage")
    assert list(served.bench.models.keys(f"{TUMOUR}/runs")) == [served.bench.registry.run_key("second", "run.json")]


@damaged
def test_what_the_supervisor_remembers_is_written_anew(damage: str, served: Served) -> None:
    key = f"{TUMOUR}/supervised/seen.json"
    before = served.bench.models.get(key)
    harm(served.bench.models, key, damage)
    assert served.supervise() == []
    assert served.bench.models.get(key) == before


BEGUN = ["data.npz", "profile.json", "report.json", "rejected.csv", "plan.json", "run.json", "experiments/e0.json"]
"""What a run has before its candidate is selected."""
FOR_PEOPLE = {"report.json", "rejected.csv"}
KEPT = ("experiments/e0.json", "garbage")
"""An experiment that is recorded is not tried again: its object has to be deleted."""


@damaged
@pytest.mark.parametrize("name", BEGUN)
def test_an_object_of_a_run_that_is_damaged_fails_it_with_the_reason_and_its_dataset_carries_on(
    damage: str, name: str, life: Life
) -> None:
    champion, request = life.released(0), life.upload(1)
    execution = life.execute(request, "damaged")
    execution.until("select" if name.startswith("experiments") else "experiments")
    record = life.record(life.run("damaged"))
    in_data = f"{MODEL}/datasets/{record['dataset']}/{name}"
    store, key = (
        (life.bench.data, in_data)
        if life.bench.data.exists(in_data)
        else (life.models, life.bench.registry.run_key(record["run"], name))
    )
    harm(store, key, damage)
    while execution.go_on() is not None:
        life.clock.forward(BAKE / 2)
    after = life.record(record["run"])
    end = "promoted" if name in FOR_PEOPLE else "failed"
    assert (execution.end, after["status"], "cause" in after) == (end, end, end == "failed")
    assert (life.pointer.champion != champion) == (end == "promoted")
    if (name, damage) == KEPT:
        assert key in after["cause"]
        obstore.delete(store._store, key)
    again = life.execute(request, "again")
    while again.go_on() is not None:
        life.clock.forward(BAKE / 2)
    assert again.end == ("unchanged" if end == "promoted" else "promoted")
    assert [entry.event for entry in life.pointer.history].count("promoted") == 2
