"""The blueprint's whole graph on each cloud, held to rules of that cloud; each is seen to fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Protocol

import pytest

from infra import clouds
from tests.graph import Graph
from tests.infra.aws import broken as aws_broken
from tests.infra.aws import rules_account as aws_account
from tests.infra.aws import rules_budget as aws_budget
from tests.infra.aws import rules_compute as aws_compute
from tests.infra.aws import rules_data as aws_data
from tests.infra.aws import rules_edges as aws_edges
from tests.infra.aws import rules_kept as aws_kept
from tests.infra.aws import rules_watched as aws_watched
from tests.infra.aws import whole as aws
from tests.infra.gcp import broken as gcp_broken
from tests.infra.gcp import rules_account as gcp_account
from tests.infra.gcp import rules_budget as gcp_budget
from tests.infra.gcp import rules_compute as gcp_compute
from tests.infra.gcp import rules_data as gcp_data
from tests.infra.gcp import rules_edges as gcp_edges
from tests.infra.gcp import rules_kept as gcp_kept
from tests.infra.gcp import rules_watched as gcp_watched
from tests.infra.gcp import whole as gcp


class Rule(Protocol):
    __name__: str

    def __call__(self, graph: Graph, /) -> list[str]: ...


@dataclass(frozen=True, kw_only=True)
class RuledCloud:
    """One cloud's whole graph, its rules, and what breaks each of them."""

    name: str
    whole: ModuleType
    rules: tuple[Rule, ...]
    broken: Mapping[str, tuple[Callable[[Graph], Graph], ...]]


CLOUDS = (
    RuledCloud(
        name="aws",
        whole=aws,
        rules=(
            *aws_data.RULES,
            *aws_compute.RULES,
            *aws_edges.RULES,
            *aws_account.RULES,
            *aws_kept.RULES,
            *aws_watched.RULES,
            *aws_budget.RULES,
        ),
        broken={**aws_broken.BROKEN, **aws_kept.BROKEN, **aws_budget.BROKEN},
    ),
    RuledCloud(
        name="gcp",
        whole=gcp,
        rules=(
            *gcp_data.RULES,
            *gcp_compute.RULES,
            *gcp_edges.RULES,
            *gcp_account.RULES,
            *gcp_kept.RULES,
            *gcp_watched.RULES,
            *gcp_budget.RULES,
        ),
        broken={**gcp_broken.BROKEN, **gcp_kept.BROKEN, **gcp_budget.BROKEN},
    ),
)
every_cloud = pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: cloud.name)


@pytest.mark.parametrize(
    ("cloud", "rule"),
    [pytest.param(cloud, rule, id=f"{cloud.name}-{rule.__name__}") for cloud in CLOUDS for rule in cloud.rules],
)
def test_the_whole_stack_keeps_every_rule(cloud: RuledCloud, rule: Rule) -> None:
    assert rule(cloud.whole.graph()) == []


@pytest.mark.parametrize(
    ("cloud", "name", "number"),
    [
        pytest.param(cloud, name, number, id=f"{cloud.name}-{name}-{number}")
        for cloud in CLOUDS
        for name, cases in cloud.broken.items()
        for number in range(len(cases))
    ],
)
def test_a_broken_stack_breaks_that_rule_and_no_other(cloud: RuledCloud, name: str, number: int) -> None:
    broken = cloud.broken[name][number](cloud.whole.graph())
    assert [rule.__name__ for rule in cloud.rules if rule(broken)] == [name]


@every_cloud
def test_every_rule_was_seen_to_fail(cloud: RuledCloud) -> None:
    assert set(cloud.broken) == {rule.__name__ for rule in cloud.rules}


@every_cloud
def test_the_graph_is_whole(cloud: RuledCloud) -> None:
    """Rules about a type that is not there would pass for nothing."""
    types = {resource.type for resource in cloud.whole.graph()}
    named = {value for name, value in vars(cloud.whole).items() if name.isupper() and isinstance(value, str)}
    assert {value for value in named if value.count(":") == 2 and "/" in value} <= types


def test_every_cloud_has_rules() -> None:
    assert {cloud.name for cloud in CLOUDS} == set(clouds.names())
