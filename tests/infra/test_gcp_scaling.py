"""The profiles on GCP, in one stack with all of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from tests.graph import Graph
from tests.infra.gcp import rules_compute, rules_data, rules_edges
from tests.infra.gcp import whole as w

OWN = {
    "quick": {"profile": "balanced", "memory_mb": 4096},
    "ready": {"profile": "latency", "minimum": 2, "memory_mb": 8192, "concurrency": 31},
}
PROFILES, CONCURRENCIES = ("eco", "balanced", "latency"), (1, 5, 8, 9, 51, 1000)
SHAPE = ("minInstanceCount", "maxInstanceCount", "maxInstanceRequestConcurrency", "availableCpu")


@cache
def graph() -> Graph:
    functions = {"predict": {"concurrency": 50}}
    return w.whole(models=["breast_cancer", "quick", "ready"], scaling={"models": OWN}, functions=functions)


def shape(graph: Graph, function: str) -> tuple[Any, ...]:
    service = w.service(graph.one(w.FUNCTION, f"{function}-function"))
    return tuple(service.get(key) for key in SHAPE)


def test_an_instance_of_eco_answers_one_request_at_a_time() -> None:
    assert shape(graph(), "predict") == (None, 50, 1, None)
    assert "THREADS" not in w.service(graph().one(w.FUNCTION, "predict-function"))["environmentVariables"]


def test_instances_of_balanced_are_shared_on_a_whole_processor_and_go_to_zero() -> None:
    assert shape(graph(), "predict-quick") == (None, 6, 8, "1")


def test_instances_of_latency_wait_and_grow_with_their_memory() -> None:
    assert shape(graph(), "predict-ready") == (2, 3, 8, "2")


@cache
def of_each() -> Graph:
    """One stack with a model for each profile and concurrency, so that each has a function of its own."""
    own = {f"{profile}{n}": {"profile": profile, "concurrency": n} for profile in PROFILES for n in CONCURRENCIES}
    return w.whole(models=["breast_cancer", *own], scaling={"models": own})


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("concurrency", CONCURRENCIES)
def test_never_more_requests_at_once_than_asked_for(profile: str, concurrency: int) -> None:
    _, copies, requests, _ = shape(of_each(), f"predict-{profile}{concurrency}")
    assert concurrency - requests < copies * requests <= concurrency


@pytest.mark.parametrize(
    "rule", [*rules_data.RULES, *rules_compute.RULES, *rules_edges.RULES], ids=lambda r: r.__name__
)
def test_the_stack_keeps_every_rule(rule: Any) -> None:
    assert rule(graph()) == []
