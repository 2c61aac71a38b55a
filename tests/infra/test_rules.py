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
from tests.infra.aws import rules_compute as aws_compute
from tests.infra.aws import rules_data as aws_data
from tests.infra.aws import rules_edges as aws_edges
from tests.infra.aws import whole as aws
from tests.infra.gcp import broken as gcp_broken
from tests.infra.gcp import rules_account as gcp_account
from tests.infra.gcp import rules_compute as gcp_compute
from tests.infra.gcp import rules_data as gcp_data
from tests.infra.gcp import rules_edges as gcp_edges
from tests.infra.gcp import whole as gcp


class Rule(Protocol):
    __name__: str

    def __call__(self, graph: Graph, /) -> list[str]: ...


@dataclass(frozen=True, kw_only=True)
class House:
    """One cloud's whole graph, its rules, and what breaks each of them."""

    name: str
    whole: ModuleType
    rules: tuple[Rule, ...]
    broken: Mapping[str, tuple[Callable[[Graph], Graph], ...]]


HOUSES = (
    House(
        name="aws",
        whole=aws,
        rules=(*aws_data.RULES, *aws_compute.RULES, *aws_edges.RULES, *aws_account.RULES),
        broken=aws_broken.BROKEN,
    ),
    House(
        name="gcp",
        whole=gcp,
        rules=(*gcp_data.RULES, *gcp_compute.RULES, *gcp_edges.RULES, *gcp_account.RULES),
        broken=gcp_broken.BROKEN,
    ),
)
every_house = pytest.mark.parametrize("house", HOUSES, ids=lambda house: house.name)


@pytest.mark.parametrize(
    ("house", "rule"),
    [pytest.param(house, rule, id=f"{house.name}-{rule.__name__}") for house in HOUSES for rule in house.rules],
)
def test_the_whole_stack_keeps_every_rule(house: House, rule: Rule) -> None:
    assert rule(house.whole.graph()) == []


@pytest.mark.parametrize(
    ("house", "name", "number"),
    [
        pytest.param(house, name, number, id=f"{house.name}-{name}-{number}")
        for house in HOUSES
        for name, cases in house.broken.items()
        for number in range(len(cases))
    ],
)
def test_a_broken_stack_breaks_that_rule_and_no_other(house: House, name: str, number: int) -> None:
    broken = house.broken[name][number](house.whole.graph())
    assert [rule.__name__ for rule in house.rules if rule(broken)] == [name]


@every_house
def test_every_rule_was_seen_to_fail(house: House) -> None:
    assert set(house.broken) == {rule.__name__ for rule in house.rules}


@every_house
def test_the_graph_is_whole(house: House) -> None:
    """Rules about a type that is not there would pass for nothing."""
    types = {resource.type for resource in house.whole.graph()}
    named = {value for name, value in vars(house.whole).items() if name.isupper() and isinstance(value, str)}
    assert {value for value in named if value.count(":") == 2 and "/" in value} <= types


def test_every_cloud_has_rules() -> None:
    assert {house.name for house in HOUSES} == set(clouds.names())
