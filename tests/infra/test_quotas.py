"""What a stack wants of an account, compared with what a new one has; and regions that lack a service."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from types import ModuleType
from typing import Any

import pulumi
import pytest

from infra import blueprint, clouds
from infra.aws import quotas as aws_quotas
from infra.gcp import quotas as gcp_quotas
from infra.gcp.regions import API_GATEWAY, READ_ON
from infra.quotas import Want, beyond
from infra.settings import Settings
from infra.tier import Tier
from localcloud.engine.stack_file import ROOT, StackFile
from tests.graph import Graph, deploy
from tests.infra.aws import rules_account as aws_rules
from tests.infra.aws import rules_data
from tests.infra.aws import whole as aws
from tests.infra.aws.broken import change
from tests.infra.gcp import rules_account as gcp_rules
from tests.infra.gcp import whole as gcp

WHOLE = {"aws": aws, "gcp": gcp}
BEFORE: dict[str, Any] = {
    "functions": {
        "prepare": {"concurrency": 2},
        "train": {"concurrency": 20, "memory_mb": 3072},
        "select": {"concurrency": 2},
        "rollout": {"concurrency": 2},
        "predict": {"concurrency": 50},
        "jobs": {"concurrency": 5},
    },
    "training": {"parallelism": 10, "schedule": "0 3 * * 1"},
}
"""Sizes that no new account takes: 81 copies reserved, and a function of 3,072 MB."""


@cache
def before(cloud: str) -> Graph:
    return WHOLE[cloud].whole(**BEFORE)


def stack(name: str) -> Graph:
    """Return the graph of a stack that comes with the project."""
    document = json.loads(StackFile.read(name).get("serverless-ml:settings", "{}"))
    whole = WHOLE[document["cloud"]]
    settings: dict[str, Any] = {"budget": None, **document}
    return whole.whole(**settings)


def wants(cloud: str, graph: Graph) -> dict[str, Want]:
    read = clouds.find(cloud).quotas
    assert read is not None
    return {want.quota.name: want for want in read(graph)}


def figures(want: Want) -> tuple[int, int]:
    return want.to_deploy, want.wanted


@pytest.mark.parametrize(("name", "cloud"), [("dev", "aws"), ("gcp-dev", "gcp")])
def test_a_stack_to_try_needs_no_more_than_a_new_account_has(name: str, cloud: str) -> None:
    assert beyond(wants(cloud, stack(name)).values()) == []


@pytest.mark.parametrize("cloud", sorted(WHOLE))
def test_nor_does_a_stack_that_sets_no_size(cloud: str) -> None:
    assert beyond(wants(cloud, WHOLE[cloud].graph()).values()) == []


@pytest.mark.parametrize(("name", "copies"), [("staging", 181), ("prod", 331)])
def test_copies_that_are_reserved_are_wanted_besides_a_hundred_that_must_not_be(name: str, copies: int) -> None:
    want = wants("aws", stack(name))["Concurrent executions"]
    assert figures(want) == (copies, copies)
    assert beyond([want]) == [want]
    assert want.quota.code == "L-B99A9384"
    assert want.fits(copies)
    assert not want.fits(copies - 1)


@pytest.mark.parametrize(("name", "cloud"), [("staging", "aws"), ("prod", "aws"), ("gcp-prod", "gcp")])
def test_the_page_says_what_each_stack_wants(name: str, cloud: str) -> None:
    page = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith(f"| `{name}` | ")]
    needed = beyond(wants(cloud, stack(name)).values())
    assert len(rows) == len(needed)
    for row, want in zip(rows, needed, strict=True):
        assert f"| {want.quota.shown(want.wanted)}" in row
        assert f" | {want.quota.shown(want.quota.usual)} |" in row


def test_copies_that_are_kept_ready_are_set_aside_too_once_where_they_are_reserved() -> None:
    latency = {"profile": "latency", "minimum": 2}
    alone = wants("aws", aws.whole(scaling=latency))["Concurrent executions"]
    assert alone.to_deploy == 8 + 100
    busy = {**latency, "hours": [{"opens": "0 8 * * 1", "closes": "0 20 * * 1", "minimum": 3}]}
    functions = {"predict": {"concurrency": 12}}
    reserved = wants("aws", aws.whole(scaling=busy, functions=functions))["Concurrent executions"]
    assert reserved.to_deploy == 12 + 100


def test_experiments_and_jobs_that_work_at_once_are_wanted_though_nothing_is_reserved() -> None:
    want = wants("aws", aws.whole(training={"parallelism": 12}))["Concurrent executions"]
    # Two of jobs, and two of what stops the stack.
    assert figures(want) == (10, 12 + 2 + 2)
    assert not want.fits(want.quota.usual)


def test_a_function_with_more_memory_than_a_new_account_gives_is_wanted_by_its_figure() -> None:
    (want,) = beyond(wants("aws", aws.whole(functions={"select": {"memory_mb": 3009}})).values())
    assert (want.quota.name, *figures(want)) == ("Function memory", 3009, 3009)
    assert not want.quota.code


def test_instances_are_wanted_by_their_processors_and_memory_one_function_to_deploy_and_all_at_work() -> None:
    named = wants("gcp", stack("gcp-prod"))
    processors = named[gcp_quotas.CPU.name]
    # 200 of predict, at one processor each, are most; 20 of train have two.
    assert figures(processors) == (200_000, 200_000 + 40_000 + 2_000 + 2_000 + 666 + 2 * 167 + 6 * 583)
    memory = named[gcp_quotas.MEMORY.name]
    assert memory.to_deploy == 200 * 2048 * 1024 * 1024
    assert memory.quota.shown(memory.to_deploy) == "400"
    assert processors.quota.shown(processors.wanted) == "248.5"


@pytest.mark.parametrize(
    ("stated", "mib", "expected"),
    [
        (None, 128, 83),
        (None, 1024, 583),
        (None, 1025, 1000),
        (None, 3008, 2000),
        (None, 32_768, 8000),
        ("1", 512, 1000),
    ],
)
def test_memory_brings_processors_unless_they_are_stated(stated: str | None, mib: int, expected: int) -> None:
    assert gcp_quotas.thousandths(stated, mib) == expected


def test_a_function_that_states_no_number_of_instances_may_have_a_hundred() -> None:
    graph = gcp.graph().mutated(
        gcp.FUNCTION,
        "rollout-function",
        serviceConfig=lambda old: {key: value for key, value in old.items() if key != "maxInstanceCount"},
    )
    assert wants("gcp", graph)[gcp_quotas.CPU.name].to_deploy == 100 * 333


@pytest.mark.parametrize("cloud", clouds.of(Tier.DEPLOYABLE))
def test_every_quota_is_dated_and_sourced_and_says_where_to_ask(cloud: str) -> None:
    for want in wants(cloud, WHOLE[cloud].graph()).values():
        assert date.fromisoformat(want.quota.read_on)
        assert want.quota.sources
        assert all(url.startswith("https://") for url in (*want.quota.sources, want.quota.ask))
        assert want.quota.service


@pytest.mark.parametrize(
    ("cloud", "rules"),
    [("aws", aws_rules), ("gcp", gcp_rules)],
    ids=["aws", "gcp"],
)
def test_sizes_that_no_new_account_takes_break_the_rules_about_one(cloud: str, rules: ModuleType) -> None:
    broken = {rule.__name__ for rule in rules.RULES if rule(before(cloud))}
    assert (
        broken
        >= {
            "aws": {
                "nothing_is_reserved_in_a_new_account",
                "memory_is_what_a_new_account_has",
                "the_workflow_leaves_copies_to_others",
            },
            "gcp": {"processors_are_what_a_new_project_has", "memory_is_what_a_new_project_has"},
        }[cloud]
    )
    assert len(beyond(wants(cloud, before(cloud)).values())) == 2


def test_a_queue_hands_out_no_more_messages_at_once_than_copies_are_reserved() -> None:
    assert rules_data.consumers_are_bounded(before("aws")) == []
    more = change(aws.MAPPING, "jobs-messages", scalingConfig={"maximumConcurrency": 6})(before("aws"))
    assert rules_data.consumers_are_bounded(more) == ["jobs-messages: maximum concurrency is 6"]


def build(cloud: str, region: str, **more: object) -> None:
    settings = Settings.parse({"cloud": cloud, "models": ["nothing"], **more}, where="")
    deploy(lambda: blueprint.build(clouds.find(cloud), settings), config={f"{cloud}:region": region})


def test_a_region_without_api_gateway_is_refused_before_anything_else_with_those_that_have_it() -> None:
    with pytest.raises(pulumi.RunError) as refused:
        build("gcp", "europe-west3")
    assert str(refused.value) == (
        f"Pulumi.test.yaml: gcp:region: europe-west3 has no API Gateway; accepted, as of {READ_ON}:"
        f" {', '.join(API_GATEWAY)}"
    )


def test_a_region_without_snapshots_is_refused_before_anything_else_where_a_profile_takes_them() -> None:
    with pytest.raises(pulumi.RunError, match="aws:region: ap-east-2 takes no snapshots, which function predict"):
        build("aws", "ap-east-2", scaling={"profile": "balanced"})
    with pytest.raises(pulumi.RunError, match=r"models\[0\]: found \"nothing\""):
        build("aws", "ap-east-2")


@pytest.mark.parametrize("region", ["eu-west-9", "us-gov-west-1", "cn-north-1"])
def test_what_is_no_region_of_aws_is_refused_before_anything_else_with_those_there_are(region: str) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        build("aws", region)
    assert str(refused.value).startswith(f"Pulumi.test.yaml: aws:region: {region} is no region of AWS")
    assert "eu-west-1, " in str(refused.value)


@pytest.mark.parametrize(("cloud", "region"), [("gcp", "europe-west1"), ("gcp", "us-west4"), ("aws", "eu-west-1")])
def test_a_region_that_has_every_service_is_accepted(cloud: str, region: str) -> None:
    with pytest.raises(pulumi.RunError, match=r"models\[0\]: found \"nothing\""):
        build(cloud, region)


def test_a_new_account_can_reserve_nothing_and_one_of_a_hundred_neither() -> None:
    """The embedded AWS refuses by the same figure: the smaller of the account's copies and a hundred stays free."""
    assert aws_quotas.COPIES.usual < aws_quotas.UNRESERVED == 100
