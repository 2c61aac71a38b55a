from __future__ import annotations

import json
from datetime import timedelta
from functools import cached_property
from typing import Any

import pytest

from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import begin, promote_first, withdraw
from functions.core.runtime.environment import Environment
from functions.core.storage.objects import Objects
from functions.core.watching.watch import watch
from interface import variables
from interface.retraining import RetrainingPolicy
from tests.functions.core.watching.retrained import labelled, trained
from tests.functions.core.watching.rows import DAY, MODEL, VERSION, Service, named
from tests.functions.core.watching.told import Callers, contract


class Stores(Environment):
    """An environment whose stores are in memory: stores of files know no conditional write."""

    def store(self, name: str, *, patience_seconds: float = 20) -> Objects:
        del patience_seconds
        return self.opened.setdefault(name, Objects.in_memory())

    @cached_property
    def opened(self) -> dict[str, Objects]:
        return {}


class Stack:
    """The stores of a stack, in which a version is live."""

    def __init__(self, **more: str) -> None:
        self.environment = Stores({variables.MODELS: f"{MODEL},idle", variables.CAPTURE_DAYS: "30", **more})
        names = (variables.MODELS_URL, variables.CAPTURES_URL, variables.DATA_URL)
        models, captures, self.data = (self.environment.store(name) for name in names)
        self.service = Service(models=models, captures=captures)
        Live(models, MODEL).change(lambda pointer: promote_first(pointer, VERSION, "run", 0.0))

    def call(self, day: int) -> Any:
        """Call the function in the night after a day."""
        night = DAY.replace(hour=1) + timedelta(days=day + 1)
        return watch(self.environment, now=lambda: night).run({}, None)["checked"]


@pytest.fixture
def stack() -> Stack:
    return Stack()


def test_every_model_is_checked_once_a_day(stack: Stack) -> None:
    stack.service.ask(0, 600)
    assert stack.call(0) == {MODEL: "steady", "idle": "few"}
    assert stack.call(0) == {}
    assert (stack.service.checks.read(named(0)) or {})["window"]["rows"] == 600


def test_days_that_were_not_checked_are_made_up_for_in_their_order(stack: Stack) -> None:
    for day in range(3):
        stack.service.ask(day, 600, shift=2.0)
    assert stack.call(2)[MODEL] == "drifted"
    found = [stack.service.checks.read(named(day)) for day in range(3)]
    assert [bool(one and one["confirmed"]) for one in found] == [False, True, True]
    assert len(stack.service.checks.days()) == 7


def test_a_day_that_is_over_can_be_checked_as_if_it_were_last_night(stack: Stack) -> None:
    stack.service.ask(0, 600)
    later = DAY + timedelta(days=40)
    answer = watch(stack.environment, now=lambda: later).run({"as_of": named(1)}, None)
    assert answer["checked"][MODEL] == "steady"
    assert max(stack.service.checks.days()) == named(0)


@pytest.mark.parametrize("day", ["tomorrow", "2026-13-01", named(3), 7])
def test_a_day_that_is_none_or_that_has_not_begun_is_refused(stack: Stack, day: object) -> None:
    with pytest.raises(ValueError, match=r"accepted: a day that has begun, as 2026-11-24"):
        watch(stack.environment, now=lambda: DAY + timedelta(days=2)).run({"as_of": day}, None)


def test_drift_is_a_line_of_the_log_once_it_is_confirmed(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    for day in range(2):
        stack.service.ask(day, 600, shift=2.0)
        stack.call(day)
    lines = [line for line in map(json.loads, capsys.readouterr().out.splitlines()) if line["event"] == "drift"]
    assert [(line["metric"], line["model"], line["day"]) for line in lines] == [("Drift", MODEL, named(1))]
    assert sorted(lines[0]["columns"]) == ["probability of yes", "size"]


def test_one_model_whose_records_are_damaged_does_not_keep_the_others_from_their_check(stack: Stack) -> None:
    stack.service.models.put(f"{MODEL}/live.json", b"{")
    assert stack.call(0) == {"idle": "few"}


def keys(objects: Objects) -> set[str]:
    return {key for model in (MODEL, "idle") for key in objects.keys(model)}


def test_of_the_models_store_nothing_is_written_but_the_check(stack: Stack) -> None:
    stack.service.ask(0, 5)
    before = keys(stack.service.models)
    stack.call(0)
    assert {key.split("/")[1] for key in keys(stack.service.models) - before} == {"watch"}


def test_a_quality_below_its_floor_is_a_line_of_the_log_and_its_rows_are_written_beside_the_captures(
    stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.core.watching.watch.load", lambda _: contract({"minimum": 0.9}))
    callers = Callers(service=stack.service)
    callers.tell(0, callers.truths(stack.service.ask(0, 100), wrong=0.5))
    stack.call(0)
    check = stack.service.checks.read(named(0)) or {}
    assert check["quality"]["state"] == "below"
    lines = [line for line in map(json.loads, capsys.readouterr().out.splitlines()) if line["event"] == "quality"]
    [line] = lines
    assert (line["metric"], line["model"], line["version"], line["day"], line["of"], line["floor"]) == (
        ("QualityBelowFloor", MODEL, VERSION, named(0), "roc_auc", 0.9)
    )
    assert line["value"] == check["quality"]["metrics"]["roc_auc"]["value"]
    assert stack.service.captures.get(f"{MODEL}/labelled/{named(0)}/table.csv").startswith(b"size,visits,colour,age")


def test_a_day_that_is_due_is_joined_from_its_files_before_they_are_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("functions.core.watching.watch.load", lambda _: contract({"horizon_days": 2}))
    stack = Stack(CAPTURE_DAYS="2")
    callers = Callers(service=stack.service)
    callers.tell(0, callers.truths(stack.service.ask(0, 60)))
    for day in range(3):
        assert bool(list(stack.service.captures.keys(f"{MODEL}/files"))) == (day > 0)
        stack.call(day)
    assert {key.split("/")[1] for key in keys(stack.service.captures)} == {"labelled", "truths"}
    check = stack.service.checks.read(named(2)) or {}
    assert check["quality"]["window"]["rows"] == 60


def test_with_a_policy_drift_has_the_model_trained_again_on_the_labelled_rows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stack = Stack(RETRAINING=RetrainingPolicy(minimum_rows=50).to_json())
    trained(stack.service.models, stack.data, VERSION)
    for day in range(2):
        stack.service.ask(day, 600, shift=2.0)
        labelled(stack.service.captures, named(day), 40)
        stack.call(day)
    assert stack.call(1) == {}
    (request,) = stack.data.keys(f"{MODEL}/incoming/again")
    assert stack.data.get_json(request)["cause"] == "drift"
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["cause"] for line in lines if line["event"] == "trained again"] == ["drift"]


def test_without_anything_to_learn_from_somebody_is_told_and_nothing_is_trained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stack = Stack(RETRAINING=RetrainingPolicy().to_json())
    trained(stack.service.models, stack.data, VERSION)
    for day in range(2):
        stack.service.ask(day, 600, shift=2.0)
        stack.call(day)
    assert list(stack.data.keys(f"{MODEL}/incoming/again")) == []
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (told,) = (line for line in lines if line["event"] == "not trained again")
    assert told["metric"] == "NotTrainedAgain"
    assert "there is nothing to learn from: 0 rows were labelled" in told["said"]


def test_records_that_are_damaged_keep_no_check_from_being_told(capsys: pytest.CaptureFixture[str]) -> None:
    stack = Stack(RETRAINING=RetrainingPolicy().to_json())
    stack.service.models.put(f"{MODEL}/retraining/asked.json", b"{")
    for day in range(2):
        stack.service.ask(day, 600, shift=2.0)
        stack.call(day)
    events = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert "drift" in events
    assert "training not asked for" in events


def test_a_day_that_is_over_is_compacted_and_the_check_is_the_same(stack: Stack) -> None:
    stack.service.ask(0, 600)
    whole = stack.service.check(0)
    stack.service.models.remove([stack.service.checks.key(named(0))])
    stack.call(0)
    assert {key.split("/")[1] for key in keys(stack.service.captures)} == {"files", "index"}
    assert stack.service.checks.read(named(0)) == whole


def test_a_release_under_way_keeps_its_days_as_they_are_until_it_is_over(stack: Stack) -> None:
    stack.service.ask(0, 5)
    stack.service.ask(1, 5)
    noon = (DAY + timedelta(days=1)).timestamp()
    live = Live(stack.service.models, MODEL)
    live.change(lambda pointer: begin(pointer, "f" * 16, "run", 10, noon))
    stack.call(1)
    assert {key.split("/")[1] for key in keys(stack.service.captures)} == {"files", "index", named(1)}
    live.change(lambda pointer: withdraw(pointer, noon + 1, "why"))
    stack.call(1)
    assert {key.split("/")[1] for key in keys(stack.service.captures)} == {"files", "index"}


def test_what_cannot_be_compacted_is_checked_all_the_same_and_the_log_says_so(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.service.ask(0, 600)
    stack.service.captures.put(f"{MODEL}/index/{named(0)}.json", b"{")
    assert stack.call(0) == {"idle": "few"}
    stack.service.captures.remove([f"{MODEL}/index/{named(0)}.json"])
    assert stack.call(0) == {MODEL: "steady"}
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["model"] for line in lines if line.get("metric") == "NotCompacted"] == [MODEL]


def test_files_are_removed_when_their_days_are_not_kept_any_more(stack: Stack) -> None:
    stack.service.ask(0, 5)
    stack.call(0)
    stack.call(29)
    assert keys(stack.service.captures)
    stack.call(30)
    assert not keys(stack.service.captures)
