from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest

from infra import clouds
from infra.estimate.coverage import NEVER_CALLED, UNKNOWN
from infra.estimate.demand import MONTH, NO_DEMAND
from infra.estimate.meter import meter
from infra.estimate.situation import component
from infra.estimate.tariff import OLD, tariff
from infra.estimate.use import Per
from infra.scaling import Latency
from infra.tier import Tier
from localcloud.commands.estimate import priced
from tests.infra.estimate.stacks import REGIONS, STACKS, bill, drawn, estimate, graph, plain

CLOUDS = clouds.of(Tier.DEPLOYABLE)
every_cloud = pytest.mark.parametrize("cloud", CLOUDS)
every_stack = pytest.mark.parametrize("stack", STACKS)
UNITS = ("thousand_predictions", "training_run", "idle_month", "month")
DAY = date(2026, 12, 1)


def usd(document: dict[str, Any], unit: str) -> float:
    return document["figures"][unit]["usd"]


@every_stack
def test_every_resource_of_a_stack_is_priced_or_free_for_a_reason_or_told_as_not_priced(stack: str) -> None:
    found = priced(graph(stack))
    whys = {each["what"]: each["why"] for each in found["not_priced"]}
    assert UNKNOWN not in whys.values()
    assert NEVER_CALLED not in whys.values()
    known = {*whys, *(each["what"] for each in found["free_of_charge"])}
    charges = clouds.find(found["cloud"]).charges
    assert charges is not None
    kinds = {each["type"] for each in graph(stack)["resources"] if not each["component"]}
    assert kinds <= known | set(charges.priced)
    assert all(found["not_priced"])


@every_stack
def test_a_stack_says_of_itself_what_its_graph_is_priced_at(stack: str) -> None:
    told, found = graph(stack)["outputs"]["estimate"], priced(graph(stack))
    for unit in UNITS:
        assert told["usd"][unit] == pytest.approx(usd(found, unit))
        grams = [told[bound][unit] for bound in ("grams_low", "grams", "grams_high")]
        assert grams == pytest.approx([found["figures"][unit]["grams"][bound] for bound in ("low", "central", "high")])
    assert (told["region"], told["prices_read_on"]) == (found["region"], found["prices"]["read_on"])


@every_cloud
def test_profiles_are_noted_by_the_program_as_the_engine_sees_them(cloud: str) -> None:
    for scaling in ({"profile": "latency", "minimum": 3}, {"profile": "balanced"}):
        found = plain(cloud, scaling=scaling)
        assert found["outputs"]["estimate"]["usd"]["idle_month"] == pytest.approx(usd(priced(found), "idle_month"))


@every_cloud
def test_no_type_is_both_priced_and_free(cloud: str) -> None:
    charges = clouds.find(cloud).charges
    assert charges is not None
    kinds = [*charges.priced, *charges.free, *charges.unpriced]
    assert len(kinds) == len(set(kinds))
    assert all([*charges.free.values(), *charges.unpriced.values()])


@every_cloud
def test_every_price_that_is_used_is_in_the_tariff_and_every_price_of_the_tariff_is_known_by_its_service(
    cloud: str,
) -> None:
    prices = tariff(cloud)
    assert prices is not None
    for settings in ({}, {"scaling": {"profile": "latency"}}, {"scaling": {"profile": "balanced"}}):
        assert set(bill(cloud, **settings).quantities) <= set(prices.prices)


@every_cloud
def test_a_month_is_made_of_its_parts(cloud: str) -> None:
    found = estimate(cloud)
    traffic = found["traffic"]
    parts = (
        usd(found, "idle_month")
        + usd(found, "thousand_predictions") * traffic["predictions_per_second"] * MONTH / 1000
        + usd(found, "training_run") * traffic["runs_a_month"]
        + usd(found, "job") * traffic["jobs_a_month"]
    )
    assert usd(found, "month") == pytest.approx(parts)
    assert found["standing_usd"] + found["usage_usd"] == pytest.approx(parts)
    assert sum(each["month"]["usd"] for each in found["resources"]) == pytest.approx(parts)
    assert found["standing_usd"] == usd(found, "idle_month")
    grams = found["figures"]["month"]["grams"]["central"]
    assert sum(each["month"]["grams"]["central"] for each in found["resources"]) == pytest.approx(grams)


@every_cloud
def test_the_grams_of_a_figure_are_its_energy_by_its_grid_and_the_making_of_hardware(cloud: str) -> None:
    found = estimate(cloud)
    for unit in UNITS:
        figure = found["figures"][unit]
        for bound in ("low", "central", "high"):
            assert figure["operational_grams"][bound] == pytest.approx(figure["kwh"][bound] * found["grid"][bound])
            whole = figure["operational_grams"][bound] + figure["embodied_grams"][bound]
            assert figure["grams"][bound] == pytest.approx(whole)
        assert figure["grams"]["low"] < figure["grams"]["central"] < figure["grams"]["high"]


def test_a_thousand_predictions_on_aws_cost_what_is_computed_on_paper() -> None:
    traffic = {"starts_an_hour": 0, "bytes_a_row": 100, "captured_share": 0}
    seconds = 0.005 * 1769 / 1024
    logs = 2 * 1000 * (0.50 + 0.03) / 1e9
    captures = 0.000005 + 200 / 1e9 * 0.023
    one = seconds * 0.0000166667 + 0.0000002 + 0.000001 + 100 / 1e9 * 0.09 + logs + captures + 0.0000004 / 5
    assert usd(estimate("aws", traffic), "thousand_predictions") == pytest.approx(1000 * one)


def test_a_thousand_predictions_on_gcp_cost_what_is_computed_on_paper() -> None:
    traffic = {"starts_an_hour": 0, "captured_share": 0}
    captures = 0.000005 + 200 / 1e9 * 0.020
    instance = 0.1 * (0.583 * 0.000024 + 0.0000025) + 0.0000004
    one = instance + 0.000003 + 2 * 1000 / 1e9 * 0.50 + captures + 0.0000004 / 5
    assert usd(estimate("gcp", traffic), "thousand_predictions") == pytest.approx(1000 * one)


def test_a_run_passes_through_the_steps_of_the_workflow() -> None:
    one = bill("aws")
    (transitions,) = [line.use.quantity for line in one.lines if line.use.price == "workflow.transition"]
    experiments, bakes = 8, 2
    # prepare, usable, experiments, select, good, release, where; bake, judge, where for each; promoted.
    assert (one.situation.bakes, transitions) == (bakes, 7 + experiments + 3 * bakes + 1)


@every_cloud
def test_a_run_costs_by_the_experiments_of_its_model(cloud: str) -> None:
    found = estimate(cloud, models=["breast_cancer", "file_type"])
    trained, finished = (found["models"][name]["training_run"]["usd"] for name in ("breast_cancer", "file_type"))
    assert found["experiments"] == {"breast_cancer": 8}
    assert finished < trained == usd(found, "training_run")


@every_cloud
def test_a_model_with_a_function_of_its_own_costs_what_that_function_does(cloud: str) -> None:
    scaling = {"models": {"file_type": {"profile": "eco", "memory_mb": 4096}}}
    found = estimate(cloud, models=["breast_cancer", "file_type"], scaling=scaling)
    small, large = (found["models"][name]["thousand_predictions"]["usd"] for name in ("breast_cancer", "file_type"))
    assert small < usd(found, "thousand_predictions") < large
    assert (small + large) / 2 == pytest.approx(usd(found, "thousand_predictions"))


@every_cloud
def test_rows_that_are_asked_together_cost_less(cloud: str) -> None:
    alone, together = (estimate(cloud, {"rows_a_request": rows}) for rows in (1, 100))
    assert usd(together, "thousand_predictions") < usd(alone, "thousand_predictions") / 10


@every_cloud
def test_what_is_kept_ready_takes_energy_in_an_idle_month(cloud: str) -> None:
    idle, ready = (
        estimate(cloud, scaling=scaling)["figures"]["idle_month"]
        for scaling in ({"profile": "eco"}, {"profile": "latency", "minimum": 2})
    )
    assert ready["kwh"]["low"] > 100 * idle["kwh"]["low"]
    assert ready["embodied_grams"]["low"] > 100 * idle["embodied_grams"]["low"]
    assert ready["usd"] > idle["usd"] + 20


@every_cloud
def test_work_of_what_is_kept_ready_reserves_no_hardware_a_second_time(cloud: str) -> None:
    one = bill(cloud, scaling={"profile": "latency", "minimum": 2})
    uses = [line.use for line in one.lines if component(line.resource) == "predict" and line.use.per is Per.PREDICTION]
    demand = sum((use.demand for use in uses), NO_DEMAND)
    assert demand.working > 0
    assert (demand.reserved, demand.memory) == (pytest.approx(0, abs=1e-12), pytest.approx(0, abs=1e-12))


@every_cloud
def test_a_free_tier_stands_apart_and_takes_off_no_more_than_it_holds(cloud: str) -> None:
    little, much = (estimate(cloud, {"predictions_per_second": rate}) for rate in (0.01, 1000))
    for found in (little, much):
        for each in found["free_tiers"]:
            assert 0 < each["usd"] < usd(found, "month")
            assert each["source"].startswith("https://")
    requests = {"aws": "lambda.requests", "gcp": "run.requests"}[cloud]
    (tier,) = [each for each in much["free_tiers"] if each["name"] == requests]
    unit = {"aws": 0.0000002, "gcp": 0.0000004}[cloud]
    assert tier["usd"] == pytest.approx(tier["quantity"] * unit)


@every_cloud
def test_each_function_has_the_meter_of_its_own_size_and_profile(cloud: str) -> None:
    found = estimate(cloud, scaling={"profile": "latency"})["meters"]
    assert found.keys() == {"predict", "jobs", "prepare", "train", "select", "rollout", "supervise", "tally", "watch"}
    assert found["train"]["gb"] > found["predict"]["gb"]
    expected = meter(cloud, REGIONS[cloud], "x86_64", 1024, Latency())
    assert expected is not None
    assert found["predict"] == expected._asdict()


def test_much_traffic_costs_less_a_unit() -> None:
    some, much = (estimate("aws", {"predictions_per_second": rate}) for rate in (10, 1_000_000))
    assert usd(much, "thousand_predictions") < usd(some, "thousand_predictions")


# What is missing, old or beyond a bound: one sentence each, and the rest is said --------------------------------------


def test_a_region_without_a_price_is_one_sentence_and_its_carbon_is_said() -> None:
    found = priced(drawn({"cloud": "aws", "models": ["breast_cancer"]}, "ap-east-2"), today=DAY)
    assert [usd(found, unit) for unit in UNITS] == [None] * 4
    assert found["remarks"][0] == (
        "no prices of ap-east-2 are here: no USD are said; infra/estimate/tariffs/aws.toml has the regions"
    )
    assert found["figures"]["month"]["kwh"]["central"] > 0
    assert (found["free_tiers"], found["standing_usd"], found["alternatives"]) == ([], None, [])


def test_a_region_whose_grid_nobody_has_read_is_one_sentence_and_its_price_is_said() -> None:
    found = priced(drawn({"cloud": "aws", "models": ["breast_cancer"]}, "me-south-1"), today=DAY)
    assert found["remarks"] == [
        "nobody has read the grid of me-south-1: energy is said, and no grams; infra/estimate/grid.toml has others"
    ]
    assert usd(found, "month") > 0
    assert (found["grid"], found["always_on"], found["figures"]["month"]["grams"]) == (None, None, None)


def test_a_graph_from_before_the_estimate_is_priced_where_somebody_says_that_it_is() -> None:
    now = plain("aws")
    older = {**now, "outputs": {key: value for key, value in now["outputs"].items() if key != "estimate"}}
    nowhere, there = priced(older, today=DAY), priced(older, region="us-east-1", today=DAY)
    assert nowhere["remarks"][0].startswith("aws:region is not stated: nothing is priced")
    assert usd(nowhere, "month") is None
    assert usd(there, "month") == pytest.approx(usd(priced(now), "month"))


def test_a_stack_is_priced_elsewhere_if_somebody_asks() -> None:
    assert priced(plain("aws"), region="af-south-1")["region"] == "af-south-1"


def test_a_graph_of_gcp_says_its_region_itself() -> None:
    assert priced({**plain("gcp"), "outputs": {}})["region"] == REGIONS["gcp"]


def test_two_graphs_are_compared_under_the_same_traffic() -> None:
    now = plain("aws", estimate={"predictions_per_second": 2})
    assert priced(now)["traffic"]["predictions_per_second"] == 2
    assert priced(now, traffic={"predictions_per_second": 7})["traffic"]["predictions_per_second"] == 7
    assert priced(now, traffic={"of a later day": 7})["traffic"] == priced(now, traffic={})["traffic"]


@every_cloud
def test_a_type_that_nobody_priced_and_a_function_that_nobody_knows_are_told_by_name(cloud: str) -> None:
    found = plain(cloud)
    charges = clouds.find(cloud).charges
    assert charges is not None
    functions = [each for each in found["resources"] if each["type"] == charges.function]
    mirror = {"type": f"{cloud}:mirrors/mirror:Mirror", "name": "hall", "parent": "hall", "component": False}
    more = [{**mirror, "inputs": {}}, {**functions[0], "name": "later-function", "parent": "later"}]
    told = priced({**found, "resources": [*found["resources"], *more]})["not_priced"]
    whys = {name: each["why"] for each in told for name in each["names"]}
    assert (whys["hall"], whys["later-function"]) == (UNKNOWN, NEVER_CALLED)


@every_cloud
def test_no_traffic_costs_an_idle_month_with_its_runs_and_jobs(cloud: str) -> None:
    found = estimate(cloud, {"predictions_per_second": 0, "runs_a_month": 0, "jobs_a_month": 0})
    assert found["remarks"] == [
        "estimate.predictions_per_second is 0: a month costs what an idle one does, and its runs and jobs"
    ]
    assert usd(found, "month") == usd(found, "idle_month") > 0
    assert usd(found, "thousand_predictions") > 0


@every_cloud
def test_what_a_run_may_use_at_most_is_said_where_its_contract_caps_that(cloud: str) -> None:
    found = plain(cloud)
    assert "budgets" not in found["outputs"]["estimate"], "no model that is shipped has a cap"
    told = {**found["outputs"]["estimate"], "budgets": {"churn": "0.50 USD"}}
    remarks = priced({**found, "outputs": {**found["outputs"], "estimate": told}})["remarks"]
    assert (
        "the experiments of a run of churn use at most 0.50 USD, and what runs at that moment: search.budget" in remarks
    )


def test_a_million_a_second_is_beyond_the_bounds_that_are_named() -> None:
    predict = {"memory_mb": 1024, "timeout_seconds": 15, "concurrency": 200}
    beyond = {"predictions_per_second": 1_000_000}
    throttled, bounded = estimate("aws", beyond, functions={"predict": predict})["remarks"]
    assert throttled.startswith("1,000,000 requests a second are asked, and api.throttling.rate lets 100 through")
    assert bounded.startswith(
        "1,000,000 requests a second keep 5,000 copies of predict at work, and functions.predict.concurrency allows 200"
    )
    (bounded,) = estimate("gcp", beyond)["remarks"]
    assert "functions.predict.concurrency allows 8" in bounded


@every_cloud
def test_old_prices_are_told_with_their_number_and_the_date_of_the_oldest(cloud: str) -> None:
    prices = tariff(cloud)
    assert prices is not None
    last = date.fromisoformat(prices.read_on) + OLD
    fresh, old = (priced(plain(cloud), today=day) for day in (last, last + timedelta(days=1)))
    assert (fresh["prices"]["old"], fresh["remarks"]) == ([], [])
    assert old["prices"]["old"]
    (remark,) = old["remarks"]
    assert f"were read more than 180 days ago, the oldest on {prices.read_on}" in remark


def test_the_document_is_json_and_says_what_it_assumes() -> None:
    found = json.loads(json.dumps(priced(plain("aws"), today=DAY)))
    assert found["format"] == 1
    assert any("predictions a second: 1" in words for words in found["assumptions"])
    assert "not: gateway" in found["boundary"]
    assert [each["year"] for each in found["grid"]["readings"]]
    assert found["prices"]["standing_in"] == []


def test_prices_of_another_region_that_stand_in_are_told() -> None:
    found = priced(drawn({"cloud": "aws", "models": ["breast_cancer"]}, "eu-west-1"), today=DAY)
    assert "api.request" in found["prices"]["standing_in"]
    assert "lambda.duration.x86_64" not in found["prices"]["standing_in"]
    assert found["prices"]["unverified"] == ["dashboard", "sqs.request"]


def test_what_a_stack_does_not_use_has_no_lines() -> None:
    assert {line.use.per for line in bill("aws").lines} == set(Per)
