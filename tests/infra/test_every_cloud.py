"""One program, every cloud: the same promises, each of them seen to fail on a graph that breaks it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pulumi
import pytest

from infra import clouds, vocabulary
from infra.api_policy import JwtAuth, NoAuth
from tests.graph import Graph, deploy
from tests.infra import rules, sample
from tests.infra.aws_breakages import READER as AWS
from tests.infra.facts import Breakage, Reader
from tests.infra.gcp_breakages import READER as GCP
from tests.infra.rules import RULES, Rule

READERS = (AWS, GCP)
every_cloud = pytest.mark.parametrize("reader", READERS, ids=str)


def _first(change: Callable[[Any], Any], *, component: bool) -> Breakage:
    def broken(graph: Graph) -> Graph:
        resource = next(resource for resource in graph if resource.component is component)
        return graph.swapped(resource, change(resource))

    return broken


ANYWHERE: dict[tuple[str, ...], tuple[Breakage, ...]] = {
    (rules.no_output_is_formatted_as_text.__name__,): (
        _first(
            lambda resource: replace(
                resource, inputs={**resource.inputs, "note": "Calling __str__ on an Output[T] is not supported."}
            ),
            component=False,
        ),
    ),
    (rules.outputs_registered_are_those_declared.__name__,): (
        _first(lambda resource: replace(resource, registered=None), component=True),
        _first(lambda resource: replace(resource, registered={**resource.registered, "more": "1"}), component=True),
    ),
    (rules.types_and_names_have_one_form.__name__,): (
        _first(lambda resource: replace(resource, name=f"{resource.name}-{sample.STACK}"), component=False),
        _first(lambda resource: replace(resource, name=f"{resource.name}-europe-west1"), component=False),
        _first(lambda resource: replace(resource, parent=""), component=False),
    ),
}
BREAKAGES = [
    pytest.param(reader, names, breakage, id=f"{reader}-{'-and-'.join(names)}-{number}")
    for reader in READERS
    for names, breakages in {**reader.breakages, **ANYWHERE}.items()
    for number, breakage in enumerate(breakages)
]


def broken_rules(reader: Reader, graph: Graph) -> dict[str, list[str]]:
    facts = reader.read(graph)
    problems_of = {rule.__name__: rule(graph, facts, reader.cloud) for rule in RULES}
    return {name: problems for name, problems in problems_of.items() if problems}


def changed(before: Graph, after: Graph) -> set[tuple[str, str]]:
    """Return type and component of every resource that differs; none may have come or gone."""

    def rendered(resource: Any) -> str:
        return repr({key: getattr(value, "path", value) for key, value in sorted(resource.inputs.items())})

    assert [resource.urn for resource in before] == [resource.urn for resource in after]
    pairs = [(old, before.owner(old)) for old, new in zip(before, after, strict=True) if rendered(old) != rendered(new)]
    return {(old.type, owner.name if owner else "") for old, owner in pairs}


def test_every_cloud_there_is_is_tested() -> None:
    assert {reader.cloud.name for reader in READERS} == set(clouds.names())


@every_cloud
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_sample_keeps_every_promise(reader: Reader, rule: Rule) -> None:
    graph = sample.graph(reader.cloud)
    assert rule(graph, reader.read(graph), reader.cloud) == []


@pytest.mark.parametrize(("reader", "names", "breakage"), BREAKAGES)
def test_a_broken_graph_breaks_its_rule_and_no_other(
    reader: Reader, names: tuple[str, ...], breakage: Breakage
) -> None:
    assert sorted(broken_rules(reader, breakage(sample.graph(reader.cloud)))) == sorted(names)


@every_cloud
def test_every_rule_has_been_seen_to_fail(reader: Reader) -> None:
    broken = {name for names in {**reader.breakages, **ANYWHERE} for name in names}
    assert broken | set(reader.unbreakable) == {rule.__name__ for rule in RULES}
    assert not broken & set(reader.unbreakable)


@every_cloud
def test_the_sample_says_something_of_everything(reader: Reader) -> None:
    facts = reader.read(sample.graph(reader.cloud))
    assert {store.name for store in facts.stores} == {"code", "data"}
    assert [queue.name for queue in facts.queues] == ["jobs"]
    assert {function.name for function in facts.functions} == {"prepare", "jobs", "predict"}
    assert len(facts.apis) == 1


@every_cloud
def test_new_code_changes_the_upload_and_the_function_alone(reader: Reader) -> None:
    after = deploy(lambda: sample.program(reader.cloud, revisions={"prepare": "2"}), stack=sample.STACK)
    differing = changed(sample.graph(reader.cloud), after)
    assert differing == {(reader.upload, "prepare"), (reader.function, "prepare")}


@every_cloud
def test_deploying_the_same_again_changes_nothing(reader: Reader) -> None:
    again = deploy(lambda: sample.program(reader.cloud), stack=sample.STACK)
    assert changed(sample.graph(reader.cloud), again) == set()


@every_cloud
def test_names_are_the_same_in_every_stack_and_region(reader: Reader) -> None:
    elsewhere = deploy(
        lambda: sample.program(reader.cloud),
        stack="another",
        config={"aws:region": "us-east-1", "gcp:region": "us-central1", "gcp:project": "another-project"},
    )
    assert [resource.name for resource in elsewhere] == [resource.name for resource in sample.graph(reader.cloud)]


@every_cloud
def test_what_is_not_protected_goes_with_the_stack(reader: Reader) -> None:
    facts = reader.read(deploy(lambda: sample.program(reader.cloud, protect=False)))
    assert {(store.protected, store.emptied_on_destroy) for store in facts.stores} == {(False, True)}


@every_cloud
def test_an_open_api_states_its_reason(reader: Reader) -> None:
    auth = NoAuth(kind="none", reason="a public demonstration")
    (api,) = reader.read(deploy(lambda: sample.program(reader.cloud, auth=auth))).apis
    assert set(api.authorised.values()) == {False}
    assert api.description == "Open to everyone: a public demonstration"


@every_cloud
def test_a_token_of_another_issuer_opens_every_route(reader: Reader) -> None:
    auth = JwtAuth(kind="jwt", issuer="https://login.example.org", audience=("predictions",))
    graph = deploy(lambda: sample.program(reader.cloud, auth=auth))
    (api,) = reader.read(graph).apis
    assert set(api.authorised.values()) == {True}


@every_cloud
def test_the_outputs_are_addresses(reader: Reader) -> None:
    outputs = sample.graph(reader.cloud).returned
    assert outputs["endpoint"].startswith("https://")
    assert not outputs["endpoint"].endswith("/")
    assert outputs["data"].partition("://")[0] in {"s3", "gs", "az"}
    assert outputs["jobs"].startswith("https://")
    assert outputs["dead_letters"]


@every_cloud
def test_a_component_takes_a_name_its_arguments_and_options(reader: Reader) -> None:
    for field in fields(reader.cloud):
        thing = getattr(reader.cloud, field.name)
        if isinstance(thing, type):
            assert list(inspect.signature(thing).parameters) == ["name", "args", "opts"], thing
            assert issubclass(thing, pulumi.ComponentResource), thing


def test_everything_that_is_asked_for_is_asked_by_name() -> None:
    arguments = [
        thing for thing in vars(vocabulary).values() if is_dataclass(thing) and thing.__module__ == vocabulary.__name__
    ]
    assert len(arguments) > 10
    for thing in arguments:
        assert all(field.kw_only for field in fields(thing)), thing
        assert thing.__dataclass_params__.frozen, thing
