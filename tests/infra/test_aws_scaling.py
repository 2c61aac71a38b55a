"""The profiles on AWS, in one stack with all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pulumi
import pytest

from infra.aws.regions import require_region
from infra.aws.scaling import TARGET as UTILISATION
from infra.aws.scaling import snapshots
from infra.scaling import Balanced, Eco, Latency
from tests.graph import Graph, deploy
from tests.infra.aws import rules_compute, rules_data, rules_edges, rules_scaling
from tests.infra.aws import whole as w
from tests.infra.aws.broken import change, drop
from tests.infra.aws.rules_scaling import ACTION, POLICY, PROVISIONED, RULES, TARGET

HOURS = {"opens": "0 8 * * 1-5", "closes": "30 20 * * 1-5", "minimum": 5}
OWN = {
    "quick": {"profile": "balanced"},
    "ready": {"profile": "latency", "minimum": 2, "hours": [HOURS], "concurrency": 16},
}
EVERY = (*RULES, *rules_data.RULES, *rules_compute.RULES, *rules_edges.RULES)
Break = Callable[[Graph], Graph]


@cache
def graph() -> Graph:
    return w.whole(models=["breast_cancer", "quick", "ready"], scaling={"models": OWN})


def names(resources: tuple[Any, ...]) -> list[str]:
    return [resource.name for resource in resources]


def test_every_profile_is_in_the_stack() -> None:
    functions = {f.name: f.inputs.get("snapStart") for f in graph().of(w.FUNCTION) if f.name.startswith("predict")}
    assert functions == {
        "predict-function": None,
        "predict-quick-function": {"applyOn": "PublishedVersions"},
        "predict-ready-function": None,
    }
    assert names(graph().of(PROVISIONED)) == ["predict-ready-provisioned"]


def test_a_stack_that_asks_for_nothing_has_nothing_of_it() -> None:
    types = {resource.type for resource in w.graph()}
    assert not types & {PROVISIONED, TARGET, POLICY, ACTION}
    assert not [f.name for f in w.graph().of(w.FUNCTION) if "snapStart" in f.inputs]


def test_copies_are_kept_from_the_minimum_to_four_times_as_many_by_use() -> None:
    target = graph().one(TARGET).inputs
    assert (target["minCapacity"], target["maxCapacity"]) == (2, 8)
    assert graph().one(PROVISIONED).inputs["provisionedConcurrentExecutions"] == 2
    tracking = graph().one(POLICY).inputs["targetTrackingScalingPolicyConfiguration"]
    assert tracking["targetValue"] == UTILISATION


def test_never_more_than_may_run_at_once() -> None:
    own = {"ready": {"profile": "latency", "minimum": 10, "concurrency": 16}}
    assert w.whole(models=["breast_cancer", "ready"], scaling={"models": own}).one(TARGET).inputs["maxCapacity"] == 16


def test_hours_raise_the_minimum_and_bring_it_back() -> None:
    actions = {a.name: (a.inputs["schedule"], a.inputs["scalableTargetAction"]) for a in graph().of(ACTION)}
    assert actions == {
        "predict-ready-ready-opens-0_8_any_any_1-5": ("cron(0 8 ? * 2-6 *)", {"minCapacity": 5, "maxCapacity": 16}),
        "predict-ready-ready-closes-30_20_any_any_1-5": ("cron(30 20 ? * 2-6 *)", {"minCapacity": 2, "maxCapacity": 8}),
    }


def test_hours_are_called_after_when_they_open_and_close_in_whichever_order_they_are_stated() -> None:
    weekend = {"opens": "*/30 9 * 1,2 0,6", "closes": "30 20 * * 1-5", "minimum": 3}

    def named(*hours: dict[str, Any]) -> list[tuple[str, Any]]:
        own = {**OWN, "ready": {**OWN["ready"], "hours": list(hours)}}
        declared = w.whole(models=["breast_cancer", "quick", "ready"], scaling={"models": own})
        return [(resource.name, resource.inputs) for resource in declared.of(ACTION)]

    assert named(HOURS, weekend) == named(weekend, HOURS)
    assert [name.removeprefix("predict-ready-ready-") for name, _ in named(HOURS, weekend)] == [
        "closes-30_20_any_any_1-5",
        "opens-0_8_any_any_1-5",
        "opens-anyevery30_9_any_1and2_0and6",
    ]
    assert dict(named(HOURS, weekend)).items() > dict(named(HOURS)).items()


@pytest.mark.parametrize("region", ["ap-east-2", "ap-southeast-6"])
def test_a_region_without_snapshots_is_refused_with_what_is_accepted(region: str) -> None:
    with pytest.raises(
        pulumi.RunError, match=rf"aws:region: {region} takes no snapshots.*accepted there: eco, latency"
    ):
        deploy(lambda: require_region({"predict": Balanced()}), config={"aws:region": region})


def test_other_profiles_are_to_be_had_there() -> None:
    deploy(lambda: require_region({"predict": Eco(), "other": Latency()}), config={"aws:region": "ap-east-2"})
    assert [snapshots(Eco()), snapshots(Latency())] == [None, None]


BROKEN: Mapping[str, tuple[Break, ...]] = {
    "snapshots_are_taken_of_what_can_have_them": (
        change(w.FUNCTION, "predict-quick-function", snapStart={"applyOn": "None"}),
        change(w.FUNCTION, "predict-quick-function", fileSystemConfig={"arn": "arn", "localMountPath": "/mnt/models"}),
        change(w.FUNCTION, "predict-quick-function", ephemeralStorage={"size": 1024}),
        change(w.FUNCTION, "predict-quick-function", packageType="Image"),
        change(w.FUNCTION, "predict-ready-function", snapStart={"applyOn": "PublishedVersions"}),
        lambda graph: _everywhere(graph, runtime="python3.11"),
    ),
    "aliases_have_no_weights": (
        change(w.ALIAS, "predict-ready-alias", routingConfig={"additionalVersionWeights": {"2": 0.1}}),
    ),
    "ready_copies_stand_behind_an_alias": (
        lambda graph: graph.swapped(graph.one(PROVISIONED), replace(graph.one(PROVISIONED), dependencies=())),
    ),
    "no_more_copies_are_ready_than_may_run": (
        change(PROVISIONED, "predict-ready-provisioned", provisionedConcurrentExecutions=17),
        change(
            ACTION,
            "predict-ready-ready-opens-0_8_any_any_1-5",
            scalableTargetAction={"minCapacity": 5, "maxCapacity": 17},
        ),
    ),
    "the_autoscaler_alone_changes_what_is_ready": (
        lambda graph: graph.swapped(graph.one(PROVISIONED), replace(graph.one(PROVISIONED), ignored=())),
    ),
    "ready_copies_follow_use": (
        drop(POLICY, "predict-ready-ready-by-use"),
        change(POLICY, "predict-ready-ready-by-use", policyType="StepScaling"),
        change(
            POLICY,
            "predict-ready-ready-by-use",
            targetTrackingScalingPolicyConfiguration=lambda old: {**old, "disableScaleIn": True},
        ),
        change(POLICY, "predict-ready-ready-by-use", scalableDimension="lambda:function:Other"),
        lambda graph: graph.swapped(graph.one(TARGET), replace(graph.one(TARGET), dependencies=())),
    ),
    "hours_end_where_they_began": (
        drop(ACTION, "predict-ready-ready-closes-30_20_any_any_1-5"),
        change(
            ACTION,
            "predict-ready-ready-closes-30_20_any_any_1-5",
            scalableTargetAction={"minCapacity": 3, "maxCapacity": 8},
        ),
        change(ACTION, "predict-ready-ready-opens-0_8_any_any_1-5", timezone="Europe/Dublin"),
    ),
}


def _everywhere(graph: Graph, **changes: Any) -> Graph:
    for resource in graph.of(w.FUNCTION):
        graph = graph.mutated(w.FUNCTION, resource.name, **changes)
    return graph


@pytest.mark.parametrize("rule", EVERY, ids=lambda rule: rule.__name__)
def test_the_stack_keeps_every_rule(rule: Any) -> None:
    assert rule(graph()) == []


@pytest.mark.parametrize(("name", "number"), [(name, n) for name, cases in BROKEN.items() for n in range(len(cases))])
def test_a_broken_stack_breaks_that_rule_and_no_other(name: str, number: int) -> None:
    assert [rule.__name__ for rule in EVERY if rule(BROKEN[name][number](graph()))] == [name]


def test_every_rule_was_seen_to_fail() -> None:
    assert set(BROKEN) == {rule.__name__ for rule in rules_scaling.RULES}
