from __future__ import annotations

import pulumi
import pytest

from infra.aws import CLOUD
from infra.vocabulary import QueueArgs
from tests.graph import deploy
from tests.infra.aws import whole as w

WORDS = ("store", "queue", "function", "api", "workflow", "arrival", "schedule")


@pytest.mark.parametrize("word", WORDS)
def test_a_component_registers_exactly_the_outputs_it_declares(word: str) -> None:
    component = getattr(CLOUD, word)
    declared = {name for name, type_ in vars(component).get("__annotations__", {}).items() if "Output" in str(type_)}
    made = [made for made in w.graph() if made.type == f"serverless-ml:aws:{component.__name__}"]
    assert made
    assert all(set(one.registered or ()) == declared and one.registered is not None for one in made)


def test_every_resource_stands_in_a_component() -> None:
    graph = w.graph()
    astray = [made.name for made in graph if not made.component and graph.owner(made) is None]
    assert astray == []


def test_a_child_is_named_after_its_component() -> None:
    graph = w.graph()
    for made in graph:
        owner = graph.owner(made)
        assert owner is None or made.name.startswith(f"{owner.name}-")


def test_names_do_not_depend_on_the_stack() -> None:
    other = w.whole(stack="production-eu-west-1")
    assert [(made.type, made.name) for made in other] == [(made.type, made.name) for made in w.graph()]


def test_options_of_a_component_stay_its_own() -> None:
    args = QueueArgs(consumer_timeout_seconds=10, attempts=5)
    options = pulumi.ResourceOptions(retain_on_delete=True)
    graph = deploy(lambda: {"url": CLOUD.queue("jobs", args, options).url})
    assert [made.name for made in graph if made.retain] == ["jobs"]
