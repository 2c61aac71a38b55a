"""What would be cheaper or greener, and a machine that is always on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from infra import clouds
from infra.estimate.alternatives import BOTH, CHEAPER, GREENER, Alternative, alternatives
from infra.estimate.always_on import always_on
from infra.estimate.grid import grid
from infra.tier import Tier
from tests.infra.estimate.stacks import bill, estimate

every_cloud = pytest.mark.parametrize("cloud", clouds.of(Tier.DEPLOYABLE))
LATENCY = {"profile": "latency", "minimum": 2}
QUIET: dict[str, Any] = {"starts_an_hour": 0}


def found(cloud: str, setting: str, **settings: Any) -> list[Alternative]:
    return [each for each in alternatives(bill(cloud, **settings)) if each.setting.endswith(setting)]


def test_arm64_is_cheaper_if_it_is_as_fast_and_no_table_says_that_it_is_greener() -> None:
    (arm,) = found("aws", "architecture")
    assert (arm.kind, arm.grams, arm.other) == (CHEAPER, None, "arm64")
    assert arm.usd is not None
    assert arm.usd > 0
    assert "no table here says" in arm.condition
    assert found("gcp", "architecture") == []


@every_cloud
def test_copies_that_are_kept_ready_for_little_traffic_are_dearer_and_emit_more(cloud: str) -> None:
    (eco,) = found(cloud, "profile", scaling=LATENCY)
    assert (eco.now, eco.other, eco.kind) == ("latency", "eco", BOTH)
    less = bill(cloud, scaling=LATENCY).month(), bill(cloud).month()
    assert less[0].usd is not None
    assert less[1].usd is not None
    assert less[0].grams is not None
    assert less[1].grams is not None
    assert eco.usd == pytest.approx(less[0].usd - less[1].usd)
    assert eco.grams == pytest.approx(less[0].grams.central - less[1].grams.central)


def test_no_profile_is_told_where_none_is_better() -> None:
    assert found("aws", "profile") == []


def test_a_memory_saves_what_a_stack_of_that_memory_costs_less() -> None:
    (memory,) = found("aws", "memory_mb", scaling=LATENCY)
    size = {"memory_mb": int(memory.other.replace(",", ""))}
    before, after = (
        bill("aws", scaling=LATENCY).month(),
        bill("aws", scaling=LATENCY, functions={"predict": size}).month(),
    )
    assert before.usd is not None
    assert after.usd is not None
    assert memory.usd == pytest.approx(before.usd - after.usd)
    assert "if the models fit into it" in memory.condition


@every_cloud
def test_a_region_is_called_greener_only_where_the_bounds_of_two_grids_do_not_meet(cloud: str) -> None:
    (region,) = found(cloud, "region")
    here, there = bill(cloud).grid, grid(cloud, region.other)
    assert here is not None
    assert there is not None
    assert region.kind == GREENER
    assert here.grams_per_kwh.low > there.grams_per_kwh.high


def test_a_region_that_may_be_as_green_is_not_told() -> None:
    one = bill("aws")
    ireland = replace(one, situation=replace(one.situation, region="eu-central-2"))
    assert [each for each in alternatives(ireland) if each.kind == GREENER] == []


def test_a_region_that_costs_less_is_told() -> None:
    one = bill("aws")
    cape_town = replace(one, situation=replace(one.situation, region="af-south-1"))
    kinds = {each.kind for each in alternatives(cape_town) if each.setting == "aws:region"}
    assert kinds <= {CHEAPER, GREENER, BOTH}
    assert kinds & {CHEAPER, BOTH}


@every_cloud
def test_functions_and_a_machine_emit_the_same_at_the_rate_at_which_they_cross(cloud: str) -> None:
    slow = {**QUIET, "milliseconds_a_request": 100, "predictions_per_second": 1}
    crossing = always_on(bill(cloud, slow)).crossing
    assert crossing is not None
    assert crossing > 1
    there = always_on(bill(cloud, {**slow, "predictions_per_second": crossing}))
    assert there.crossing == pytest.approx(crossing, rel=0.2), "Cloud Run rounds, and shares"
    at = always_on(bill(cloud, {**slow, "predictions_per_second": there.crossing}))
    assert at.machine.grams is not None
    assert at.functions.grams is not None
    if crossing <= at.most:
        assert at.functions.grams.central == pytest.approx(at.machine.grams.central, rel=0.01)


@every_cloud
def test_a_machine_that_waits_emits_more_than_functions_that_are_hardly_asked(cloud: str) -> None:
    compared = always_on(bill(cloud))
    assert compared.machine.grams is not None
    assert compared.functions.grams is not None
    assert compared.machine.grams.low > 5 * compared.functions.grams.high
    assert compared.most == 400


def test_a_machine_takes_the_energy_that_is_computed_on_paper() -> None:
    machine = always_on(bill("aws", {"predictions_per_second": 0})).machine
    assert machine.kwh.central == pytest.approx(720 * (2 * 0.73725 + 8 * 0.392) / 1000 * 1.15)
    assert machine.embodied.central == pytest.approx(1_344_290 * 720 / 35_040 * 2 / 96)


@every_cloud
def test_many_copies_that_are_kept_ready_emit_more_than_a_machine_at_any_rate(cloud: str) -> None:
    scaling = {"profile": "latency", "minimum": 40}
    predict = {"memory_mb": 2048, "timeout_seconds": 15, "concurrency": 400}
    assert estimate(cloud, scaling=scaling, functions={"predict": predict})["always_on"]["crossing"] == 0
