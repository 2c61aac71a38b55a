"""On both embedded clouds: what functions measure is what their logs, a run's record and `sml cost` say."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from functions.core.runtime.usage import Usage
from infra.estimate.meter import meter
from interface.meter import Meter
from models.breast_cancer import sample
from tests.loop.running import MODEL, PREDICT, Running, csv_of, rows

STEPS = ("prepare", "train", "select")
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
    card = json.loads(running.models.get(f"{MODEL}/versions/{record['version']}/card.json"))
    assert sorted(card["usage"]["by_step"]) == ["prepare", "train"]
    assert card["usage"]["by_step"]["train"] == train
    told = json.loads(running.sml("cost", MODEL, "--since", "2d", "--json").out)
    assert told["runs"][run]["train"]["calls"] == train["calls"]


def _with_rollout(running: Running, run: str) -> dict[str, Any] | None:
    record = json.loads(running.models.get(f"{MODEL}/runs/{run}/run.json"))
    return record if "rollout" in record.get("usage", {}).get("by_step", {}) else None


def test_requests_are_measured_summed_and_shown_by_version(running: Running) -> None:
    version = running.reset()
    before = _predicted(running, version)
    asked = {running.post(PREDICT, {"instances": CASES[:1]})[1]["x-request-id"] for _ in range(5)}

    def all_written() -> Usage | None:
        asked.add(running.post(PREDICT, {"instances": CASES[:1]})[1]["x-request-id"])
        now = _predicted(running, version)
        return now if now.calls - before.calls >= 5 else None

    after = running.wait(all_written, "the usage of the requests")
    lines = [line for line in logged(running, "predict", "request") if line["request_id"] in asked]
    assert all(line["billed_ms"] > 0 and line["gb_seconds"] > 0 for line in lines)
    assert after.usd > before.usd
    # A copy writes its usage once a second: what is added are the newest calls, some of them of before.
    answered = [line for line in logged(running, "predict", "request") if line.get("version") == version]
    newest = sorted(answered, key=lambda line: line["time"])[-int(after.calls - before.calls + len(asked)) :]
    assert 0 < after.gb_seconds - before.gb_seconds <= sum(line["gb_seconds"] for line in newest) * 1.01
    said = running.sml("cost", MODEL, "--since", "2d")
    assert (said.code, f"predictions  {version}" in said.out) == (0, True), said.out
    assert "measured beside estimated" in said.out


def _predicted(running: Running, version: str) -> Usage:
    told = json.loads(running.sml("cost", MODEL, "--since", "2d", "--json").out)
    found = told["predictions"].get(version)
    return Usage() if found is None else Usage.of(found)
