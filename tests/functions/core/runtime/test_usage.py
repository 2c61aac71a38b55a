from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.runtime.consumer import Consumer
from functions.core.runtime.embedded_metrics import NAMES, embedded
from functions.core.runtime.environment import Environment
from functions.core.runtime.log import Log
from functions.core.runtime.step import Step
from functions.core.runtime.usage import Usage, since_start
from interface import variables
from tests.functions.metered import METER, TENTHS, metering


def test_a_call_is_billed_for_its_time_rounded_up() -> None:
    meter, clock = metering(TENTHS)
    begun = meter.begin()
    clock.forward(130)
    assert meter.end(begun) == pytest.approx(0.2)


def test_a_usage_is_the_seconds_and_the_call_times_the_meter() -> None:
    meter, _ = metering()
    assert meter.usage(3.0) == pytest.approx(Usage(1, 3.0, 6.0, 0.031, 0.3, 9.0, 3.0))


def test_the_start_of_a_copy_counts_into_its_first_call_and_no_other() -> None:
    meter, clock = metering()
    meter.started(0.75)
    billed = []
    for _ in range(2):
        begun = meter.begin()
        clock.forward(10)
        billed.append(meter.end(begun))
    assert billed == pytest.approx([0.76, 0.01])


def test_calls_that_overlap_share_the_time_of_their_copy() -> None:
    meter, clock = metering()
    first = meter.begin()
    clock.forward(100)
    second = meter.begin()
    clock.forward(200)
    one = meter.end(first)
    clock.forward(50)
    other = meter.end(second)
    assert (one, other) == pytest.approx((0.2, 0.15))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 400)), min_size=1, max_size=30))
def test_the_shares_of_calls_are_the_time_in_which_the_copy_was_at_work(moves: list[tuple[int, int]]) -> None:
    """A move has a call begin, or the one of that place end, and then some time pass."""
    meter, clock = metering()
    running: list[float] = []
    billed = worked = 0.0
    for place, ms in moves:
        if place < len(running):
            billed += meter.end(running.pop(place))
        else:
            running.append(meter.begin())
        clock.forward(ms)
        worked += ms / 1000 if running else 0.0
    billed += sum(meter.end(begun) for begun in running)
    assert billed == pytest.approx(worked)


def test_a_call_that_goes_on_after_its_end_is_billed_for_what_is_not_paid_yet() -> None:
    meter, clock = metering(TENTHS)
    begun = meter.begin()
    clock.forward(130)
    meter.end(begun)
    clock.forward(60)
    within_the_tenth = meter.more()
    clock.forward(50)
    assert (within_the_tenth, meter.more(), meter.more()) == pytest.approx((0.0, 0.1, 0.0))


def test_what_goes_on_while_another_call_runs_is_in_that_ones_time() -> None:
    meter, clock = metering()
    first, _ = meter.begin(), meter.begin()
    meter.end(first)
    clock.forward(500)
    assert meter.more() == 0.0


def test_usage_adds_up_and_comes_back_from_its_document() -> None:
    total = Usage.total([Usage(1, 3.0, 6.0, 0.031, 0.3, 9.0, 3.0), Usage(2, 1.0, 2.0, 0.012, 0.1, 3.0, 1.0)])
    document = total.document()
    assert document["gb_seconds"] == 8.0
    assert document["grams"] == {"operational": 12.0, "embodied": 4.0}
    assert Usage.of(document) == pytest.approx(total)
    assert Usage.total([]) == Usage()


def test_a_step_says_what_it_used_and_has_it_recorded_with_what_names_the_run() -> None:
    (meter, clock), lines, noted = metering(), io.StringIO(), []

    def act(_: Any) -> dict[str, Any]:
        clock.forward(1500)
        return {"run": "r"}

    step = Step(name="prepare", act=act, log=Log(stream=lines), metering=meter, note=lambda *said: noted.append(said))
    step.run({"model": "tumour"}, None)
    line = json.loads(lines.getvalue())
    told = [line[name] for name in ("model", "run", "billed_ms", *NAMES)]
    assert told == ["tumour", "r", 1500.0, 3.0, 0.016, 0.15, 6.0]
    [(about, used)] = noted
    assert (about, used.gb_seconds) == ({"model": "tumour", "run": "r"}, pytest.approx(3.0))


def test_a_step_that_fails_has_used_something_too() -> None:
    (meter, clock), lines, noted = metering(), io.StringIO(), []

    def act(_: Any) -> dict[str, Any]:
        clock.forward(1500)
        raise LookupError("there is no such run")

    step = Step(name="train", act=act, log=Log(stream=lines), metering=meter, note=lambda *said: noted.append(said))
    with pytest.raises(LookupError):
        step.run({"model": "tumour", "run": "r"}, None)
    assert json.loads(lines.getvalue())["gb_seconds"] == 3.0
    assert [used.calls for _, used in noted] == [1]


def test_a_usage_that_cannot_be_recorded_fails_no_step() -> None:
    (meter, _), lines = metering(), io.StringIO()

    def note(*_: Any) -> None:
        raise OSError("the store is away")

    step = Step(name="train", act=lambda _: {"a": 1}, log=Log(stream=lines), metering=meter, note=note)
    assert step.run({}, None) == {"a": 1}
    assert '"metric": "UsageNotWritten"' in lines.getvalue()


@pytest.mark.parametrize(("fails", "version"), [(False, "v1"), (True, None)], ids=["done", "failed"])
def test_a_message_says_what_it_used_whether_it_failed_or_not(fails: bool, version: str | None) -> None:
    (meter, clock), lines, noted = metering(), io.StringIO(), []

    def work(_: Any, __: Any) -> str:
        clock.forward(500)
        if fails:
            raise OSError("the store is away")
        return "v1"

    def note(content: str, done: object, used: Usage) -> dict[str, str]:
        noted.append((content, done, used.seconds))
        return {"model": "tumour"}

    consumer = Consumer(work=work, log=Log(stream=lines), metering=meter, note=note)
    assert consumer.take("id", "key", str) is not fails
    assert noted == [("key", version, pytest.approx(0.5))]
    [line] = [json.loads(line) for line in lines.getvalue().splitlines() if '"event": "message"' in line]
    assert (line["model"], line["gb_seconds"]) == ("tumour", 1.0)


def test_a_message_that_cannot_be_read_is_billed_and_recorded_for_nothing() -> None:
    (meter, _), lines, noted = metering(), io.StringIO(), []

    def parse(_: str) -> str:
        raise ValueError("the message is not a JSON object")

    def note(*said: Any) -> dict[str, str]:
        noted.append(said)
        return {}

    consumer = Consumer(work=lambda *_: None, log=Log(stream=lines), metering=meter, note=note)
    assert not consumer.take("id", "body", parse)
    assert noted == []
    assert '"event": "message"' in lines.getvalue()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"usd": 1}', None], ids=["empty", "cut", "list", "other", "absent"])
def test_a_function_without_a_meter_that_it_can_read_measures_nothing(text: str | None) -> None:
    assert Environment({} if text is None else {variables.METER: text}).metering is None


def test_a_function_reads_the_meter_that_its_stack_states() -> None:
    found = Environment({variables.METER: METER.to_json()}).metering
    assert found is not None
    assert found.meter == METER


def test_metrics_of_cloudwatch_lie_in_the_line_itself() -> None:
    meter, _ = metering(metrics=lambda by: embedded(by, "predict-1"))
    line = meter.measured(Usage(1, 3.0, 6.0, 0.031, 0.3, 9.0, 3.0), model="tumour", version="v1")
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["function", "model", "version"]]
    named = [*directive["Dimensions"][0], *(metric["Name"] for metric in directive["Metrics"])]
    assert [line[name] for name in named] == ["predict-1", "tumour", "v1", 6.0, 0.031, 0.3, 12.0]
    assert line["_aws"]["Timestamp"] > 1_700_000_000_000


@pytest.mark.parametrize(("payload", "has"), [({"model": "tumour"}, True), ({}, False)], ids=["a model", "none"])
def test_a_step_that_is_about_no_model_makes_no_metrics(payload: dict[str, str], has: bool) -> None:
    """Each is charged by the hour, and the supervisor is called in every one."""
    (meter, _), lines = metering(metrics=lambda by: embedded(by, "supervise-1")), io.StringIO()
    Step(name="supervise", act=lambda _: {"ended": []}, log=Log(stream=lines), metering=meter).run(payload, None)
    line = json.loads(lines.getvalue())
    assert ("_aws" in line, "gb_seconds" in line) == (has, True)


@pytest.mark.integration
def test_a_process_knows_how_long_ago_it_was_started() -> None:
    code = "import time; time.sleep(0.3); from functions.core.runtime.usage import since_start; print(since_start())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0.25 < float(done.stdout) < 60
    assert since_start() > 0
