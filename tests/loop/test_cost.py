"""On both embedded clouds: what functions measure is what their logs, a run's record and `sml cost` say.

And it is what the estimate says of that very traffic: how often each function was called and for how long are taken
from what was measured, for a laptop's durations are no promise of a cloud's; everything else is the estimate's own.
"""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from functions.core.runtime.usage import Usage
from infra import clouds
from infra.aws.function_charges import vcpus
from infra.estimate.bill import Bill, Figure, scaled
from infra.estimate.calls import run as estimated_run
from infra.estimate.document import Stated, bill_of
from infra.estimate.meter import meter
from infra.estimate.situation import Node
from infra.estimate.use import Per
from infra.gcp.quotas import thousandths
from interface import variables
from interface.meter import Meter
from models.breast_cancer import sample
from tests.loop import versions
from tests.loop.running import MODEL, PREDICT, Running, csv_of, rows

STEPS = ("prepare", "train", "select")
PROCESSORS = {"aws": vcpus, "gcp": lambda memory_mb: thousandths(None, memory_mb) / 1000}
"""Of a function of so many MB: on fewer than one, it takes longer than alone on a whole one."""
CASES = [{name: value for name, value in row.items() if name != sample.TARGET} for row in rows(500, 520)]


def logged(running: Running, function: str, event: str) -> list[dict[str, Any]]:
    """Return the lines of a function's log about an event. Two of one copy's threads may stand in one line."""
    found = []
    for line in running.stack.logs(function, 100_000):
        at = 0
        while line.startswith("{", at):
            document, at = json.JSONDecoder().raw_decode(line, at)
            found.append(document)
    return [line for line in found if line.get("event") == event]


def metered(running: Running, memory_mb: int) -> Meter:
    """Return the meter of a function of this stack, as the tariffs have it."""
    cloud, region = json.loads(running.stack.file.config["serverless-ml:settings"])["cloud"], None
    region = running.stack.file.config[f"{cloud}:region"]
    found = meter(cloud, region, "x86_64", memory_mb)
    assert found is not None
    return found


def estimate_of(running: Running, traffic: dict[str, Any], experiments: int = 0) -> Bill:
    """Return the bill of what is deployed, under some traffic."""
    cloud = json.loads(running.stack.file.config["serverless-ml:settings"])["cloud"]
    declared = [resource.declared for resource in running.stack.resources]
    nodes = [Node(type=one.type, name=one.name, parent=one.parent, inputs=one.inputs) for one in declared]
    region = running.stack.file.config[f"{cloud}:region"]
    stated = Stated(region=region, traffic={"starts_an_hour": 0, **traffic}, experiments={MODEL: experiments})
    found = bill_of(nodes, clouds.find(cloud), stated)
    assert found is not None
    return found


def estimated(running: Running, function: str, used: Usage, seconds: float) -> Figure:
    """Return what the estimate says of as many calls as were measured, each of so many seconds of the function."""
    meter = Meter.from_json(estimate_of(running, {}).situation.environment(function)[variables.METER])
    alone = seconds * min(1, PROCESSORS[estimate_of(running, {}).tariff.cloud](round(meter.gb * 1024)))
    named = {"train": "seconds_an_experiment"}.get(function, "seconds_a_step")
    traffic = {"milliseconds_a_request": alone * 1000} if function == "predict" else {named: alone}
    bill = estimate_of(running, traffic, experiments=round(used.calls))
    per = Per.PREDICTION if function == "predict" else Per.RUN
    times = used.calls if function == "predict" else used.calls / estimated_run(bill.situation).calls[function]
    own = [line for line in bill.lines if line.use.per is per and line.resource.name == f"{function}-function"]
    return bill.figure(scaled(line.use, times) for line in own)


def assert_as_estimated(running: Running, function: str, used: Usage) -> None:
    """The estimate of the traffic that was measured: its cost but for the last step of each bill, and its range."""
    mean, step = used.seconds / used.calls, metered(running, 1024).billed_ms / 1000
    whole = max(math.floor(mean / step), 0.1) * step
    least, most = (estimated(running, function, used, seconds) for seconds in (whole, mean))
    assert least.usd is not None
    assert most.usd is not None
    assert least.grams is not None
    assert most.grams is not None
    grams = used.grams_operational + used.grams_embodied
    for low, told, high in (
        (least.usd, used.usd, most.usd),
        (least.kwh.central, used.kwh, most.kwh.central),
        (least.grams.central, grams, most.grams.central),
    ):
        assert low * 0.999 <= told <= high * 1.001, (function, used)
    assert least.kwh.low < used.kwh < most.kwh.high
    assert least.grams.low < grams < most.grams.high


def test_a_run_has_used_what_its_steps_logged_at_the_prices_of_the_tariff(running: Running) -> None:
    with running.callers(CASES):
        run = running.train("metered.csv", csv_of(rows(70, 330)))["run"]
    record = running.wait(lambda: _with_rollout(running, run), "the last step's usage in the record of the run")
    used, by_step = record["usage"], record["usage"]["by_step"]
    assert used["gb_seconds"] == pytest.approx(math.fsum(step["gb_seconds"] for step in by_step.values()), rel=1e-4)
    # What comes later is in no record yet: a file that is announced twice is looked at twice.
    until = max(line["time"] for line in logged(running, "rollout", "step") if line.get("run") == run)
    for step in STEPS:
        lines = [line for line in logged(running, step, "step") if line.get("run") == run and line["time"] <= until]
        assert len(lines) == by_step[step]["calls"]
        assert by_step[step]["gb_seconds"] == pytest.approx(sum(line["gb_seconds"] for line in lines), rel=1e-3)
    train, second = by_step["train"], metered(running, 3008)
    assert train["gb_seconds"] == pytest.approx(train["seconds"] * 3008 / 1024, rel=1e-4)
    expected = train["seconds"] * second.usd + train["calls"] * second.usd_per_call
    assert train["usd"] == pytest.approx(expected, rel=1e-4)
    for name, told in by_step.items():
        assert_as_estimated(running, name, Usage.of(told))
    card = json.loads(running.models.get(f"{MODEL}/versions/{record['version']}/card.json"))
    assert sorted(card["usage"]["by_step"]) == ["prepare", "train"]
    assert card["usage"]["by_step"]["train"] == train
    told = json.loads(running.sml("cost", MODEL, "--since", "2d", "--json").out)
    assert told["runs"][run]["train"]["calls"] == train["calls"]


def _with_rollout(running: Running, run: str) -> dict[str, Any] | None:
    record = json.loads(running.models.get(f"{MODEL}/runs/{run}/run.json"))
    return record if "rollout" in record.get("usage", {}).get("by_step", {}) else None


def test_requests_are_measured_summed_and_shown_by_version(running: Running) -> None:
    version = running.register(versions.slow(rounds=0, width=7))
    assert _predicted(running, version).calls == 0, "no other test may ask this version"
    running.put_live(version)

    def written() -> Usage | None:
        assert running.post(PREDICT, {"instances": CASES[:1]})[0] == 200
        used = _predicted(running, version)
        return used if used.calls >= 5 else None

    used = running.wait(written, "the usage of the requests")
    lines = [line for line in logged(running, "predict", "request") if line.get("version") == version]
    assert all(line["billed_ms"] > 0 and line["gb_seconds"] > 0 for line in lines)
    # A copy writes its usage once a second: the last calls are not in it yet.
    assert used.calls <= len(lines)
    assert 0 < used.gb_seconds <= sum(line["gb_seconds"] for line in lines) * 1.01
    assert used.usd > 0
    assert_as_estimated(running, "predict", used)
    said = running.sml("cost", MODEL, "--since", "2d")
    assert (said.code, f"predictions  {version}" in said.out) == (0, True), said.out
    assert "measured beside estimated" in said.out


def _predicted(running: Running, version: str) -> Usage:
    told = json.loads(running.sml("cost", MODEL, "--since", "2d", "--json").out)
    found = told["predictions"].get(version)
    return Usage() if found is None else Usage.of(found)
