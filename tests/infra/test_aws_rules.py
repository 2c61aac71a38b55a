from __future__ import annotations

from typing import Protocol

import pytest

from tests.graph import Graph
from tests.infra.aws import rules_compute, rules_data, rules_edges
from tests.infra.aws import whole as w
from tests.infra.aws.broken import BROKEN


class Rule(Protocol):
    __name__: str

    def __call__(self, graph: Graph, /) -> list[str]: ...


RULES: tuple[Rule, ...] = (*rules_data.RULES, *rules_compute.RULES, *rules_edges.RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_whole_stack_keeps_every_rule(rule: Rule) -> None:
    assert rule(w.graph()) == []


@pytest.mark.parametrize(("name", "number"), [(name, n) for name, cases in BROKEN.items() for n in range(len(cases))])
def test_a_broken_stack_breaks_that_rule_and_no_other(name: str, number: int) -> None:
    broken = BROKEN[name][number](w.graph())
    assert [rule.__name__ for rule in RULES if rule(broken)] == [name]


def test_every_rule_was_seen_to_fail() -> None:
    assert set(BROKEN) == {rule.__name__ for rule in RULES}


def test_the_graph_is_whole() -> None:
    """Rules about a type that is not there would pass for nothing."""
    types = {made.type for made in w.graph()}
    assert {value for name, value in vars(w).items() if name.isupper() and isinstance(value, str)} <= types
