from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from functions.core.registry import usage_records
from functions.core.registry.captures import folder
from functions.core.registry.daily_usage import DailyUsage, Day, days
from functions.core.registry.tally import tally
from functions.core.runtime.environment import Environment
from functions.core.runtime.usage import Usage
from functions.core.storage.objects import Objects
from interface import layout, variables

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY, NEXT = "2026-11-24", "2026-11-25"
ONE = Usage(1, 0.5, 0.25, 0.125, 0.0625, 2.0, 1.0)
RUN = "0123456789abcdef"


class Stores:
    """The three stores that hold records of usage, and what puts some there."""

    def __init__(self, path: Path) -> None:
        names = {"models": variables.MODELS_URL, "captures": variables.CAPTURES_URL, "jobs": variables.JOBS_URL}
        values = {}
        for name, variable in names.items():
            (path / name).mkdir()
            values[variable] = f"file://{path / name}"
        self.environment = Environment({**values, variables.MODELS: "tumour"})
        self.models, self.captures, self.jobs = (self.environment.store(variable) for variable in values)
        self.usage = DailyUsage(model="tumour", models=self.models, captures=self.captures, jobs=self.jobs)

    def predicted(self, at: datetime, **by_version: Usage) -> None:
        place = folder("tumour", at.timestamp())
        self.captures.put(f"{place}/{usage_records.stamp(0)}{usage_records.written(by_version)}.jsonl", b"{}")

    def fill(self, at: datetime = NOON) -> None:
        """Have two versions answer, a run take two steps, and a job be done."""
        self.predicted(at, a1=ONE, none=ONE)
        self.predicted(at.replace(hour=23), a1=ONE)
        for step in ("prepare", "train", "train"):
            usage_records.note(self.models, f"tumour/{layout.RUNS}{RUN}", {step: ONE}, at.timestamp())
        work = layout.below("tumour", layout.JOB_WORK)
        usage_records.note(self.jobs, f"{work}job-1.csv", {"a1": ONE}, at.timestamp())
        self.jobs.put(f"{work}job-1.csv/part-000001-000000010-000000000-last", b"x")

    def call(self, at: datetime) -> Any:
        return tally(self.environment, now=lambda: at).run({}, None)["summed"]["tumour"]


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return Stores(tmp_path)


def test_a_day_is_summed_by_version_by_step_and_by_job(stores: Stores) -> None:
    stores.fill()
    day = stores.usage.sums([DAY])[DAY]
    assert {name: used.calls for name, used in day.predictions.items()} == {"a1": 2, "none": 1}
    assert {step: used.calls for step, used in day.runs[RUN].items()} == {"prepare": 1, "train": 2}
    assert day.jobs["a1"] == pytest.approx(ONE)
    assert day.total == pytest.approx(Usage.total([ONE] * 7))


def test_a_day_has_what_was_written_on_it_and_nothing_else(stores: Stores) -> None:
    stores.fill()
    stores.fill(NOON.replace(day=25))
    sums = stores.usage.sums([DAY, NEXT, "2026-11-26"])
    assert [sums[day].total.calls for day in (DAY, NEXT, "2026-11-26")] == [7, 7, 0]


def test_the_day_before_is_stored_and_summed_again_it_is_the_same(stores: Stores) -> None:
    stores.fill()
    assert stores.call(NOON.replace(day=25)) == [DAY]
    first = stores.models.get(stores.usage.key(DAY))
    assert stores.call(NOON.replace(day=25)) == [DAY]
    assert stores.models.get(stores.usage.key(DAY)) == first
    assert stores.usage.read(DAY) == stores.usage.sums([DAY])[DAY]


def test_a_record_that_comes_late_is_in_the_next_sum(stores: Stores) -> None:
    stores.fill()
    stores.call(NOON.replace(day=25))
    stores.predicted(NOON, a1=ONE)
    stores.call(NOON.replace(day=26))
    assert (stores.usage.read(DAY) or Day()).predictions["a1"].calls == 3


def test_days_that_no_call_has_summed_are_summed_later_while_their_records_are_there(stores: Stores) -> None:
    stores.fill()
    stores.fill(NOON.replace(day=26))
    assert stores.call(NOON.replace(day=30)) == [DAY, "2026-11-26"]
    assert stores.call(NOON.replace(day=30)) == []


def test_a_stored_sum_stays_when_its_records_have_expired(stores: Stores) -> None:
    stores.fill()
    stores.call(NOON.replace(day=25))
    for key in list(stores.captures.keys("tumour")):
        Path(stores.environment.text(variables.CAPTURES_URL).removeprefix("file://"), key).unlink()
    stores.call(NOON.replace(day=29))
    assert (stores.usage.read(DAY) or Day()).predictions["a1"].calls == 2


def test_an_idle_day_writes_nothing(stores: Stores) -> None:
    assert stores.call(NOON) == []
    assert list(stores.models.keys("tumour")) == []


def test_days_add_up() -> None:
    day = Day(predictions={"a1": ONE}, runs={RUN: {"train": ONE}})
    day.add(Day(predictions={"a1": ONE, "b2": ONE}, jobs={"a1": ONE}, runs={RUN: {"train": ONE, "select": ONE}}))
    assert (day.predictions["a1"].calls, day.runs[RUN]["train"].calls, day.total.calls) == (2, 2, 7)
    assert Day.of(day.document()) == day


def test_a_range_of_days_ends_with_the_last() -> None:
    assert days(date(2026, 12, 1), 3) == ["2026-11-29", "2026-11-30", "2026-12-01"]


def test_a_store_without_anything_is_a_model_that_used_nothing() -> None:
    empty = Objects.in_memory()
    usage = DailyUsage(model="tumour", models=empty, captures=empty, jobs=empty)
    assert (usage.sums([DAY])[DAY], usage.summed(), usage.read(DAY)) == (Day(), [], None)
