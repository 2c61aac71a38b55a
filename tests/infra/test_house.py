"""How components are made, on every cloud: seen on the blueprint's whole graph."""

from __future__ import annotations

import importlib
import json
from dataclasses import fields
from types import ModuleType

import jsonschema
import pulumi
import pytest

from infra import clouds
from infra.gcp.function import short
from infra.vocabulary import QueueArgs
from tests.graph import deploy
from tests.root import ROOT

SCHEMA = json.loads((ROOT / "docs" / "outputs.schema.json").read_text(encoding="utf-8"))
every_whole = pytest.mark.parametrize(
    "w", [importlib.import_module(f"tests.infra.{name}.whole") for name in clouds.names()], ids=clouds.names()
)


@every_whole
def test_a_component_registers_exactly_the_outputs_it_declares(w: ModuleType) -> None:
    words = [getattr(w.CLOUD, field.name) for field in fields(w.CLOUD)]
    for component in [word for word in words if isinstance(word, type)]:
        declared = {
            name for name, type_ in vars(component).get("__annotations__", {}).items() if "Output" in str(type_)
        }
        instances = [
            resource for resource in w.graph() if resource.type == f"serverless-ml:{w.CLOUD.name}:{component.__name__}"
        ]
        assert instances, component
        assert all(each.registered is not None and set(each.registered) == declared for each in instances), component


@every_whole
def test_every_resource_belongs_to_a_component(w: ModuleType) -> None:
    graph = w.graph()
    assert [resource.name for resource in graph if not resource.component and graph.owner(resource) is None] == []


@every_whole
def test_a_child_is_named_after_its_component(w: ModuleType) -> None:
    graph = w.graph()
    for resource in graph:
        owner = graph.owner(resource)
        names = () if owner is None else (f"{owner.name}-", f"{short(owner.name)}-")
        assert owner is None or resource.name.startswith(names)


@every_whole
def test_names_do_not_depend_on_the_stack(w: ModuleType) -> None:
    other = w.whole(stack="production-eu-west-1")
    assert [(resource.type, resource.name) for resource in other] == [
        (resource.type, resource.name) for resource in w.graph()
    ]


@every_whole
def test_options_of_a_component_stay_its_own(w: ModuleType) -> None:
    args = QueueArgs(consumer_timeout_seconds=10, attempts=5)
    options = pulumi.ResourceOptions(retain_on_delete=True)
    graph = deploy(lambda: {"url": w.CLOUD.queue("jobs", args, options).url})
    assert [resource.name for resource in graph if resource.retain] == ["jobs"]


@every_whole
def test_the_outputs_keep_their_contract(w: ModuleType) -> None:
    jsonschema.validate(w.graph().returned, SCHEMA)


@every_whole
def test_the_outputs_say_where_the_log_and_the_queue_of_each_function_are(w: ModuleType) -> None:
    functions = w.graph().returned["functions"]
    assert {"predict", "jobs", "prepare", "train", "select", "rollout", "supervise"} <= set(functions)
    assert [name for name, places in functions.items() if short(name) not in places["logs"]] == []
    assert {name for name, places in functions.items() if "dead_letters" in places} == {"jobs", "stop"}
    assert functions["jobs"]["dead_letters"] == w.graph().returned["jobs_dead_letters"]
    assert [name for name, places in functions.items() if "queue" in places] == ["stop"]


@every_whole
@pytest.mark.parametrize(
    ("auth", "granted"),
    [
        ({"kind": "iam"}, True),
        ({"kind": "jwt", "issuer": "https://login.example.org", "audience": ["a"]}, False),
        ({"kind": "none", "reason": "a public demonstration"}, False),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_the_output_callers_names_what_to_be_granted_a_permission_on(
    w: ModuleType, auth: dict[str, object], granted: bool
) -> None:
    outputs = w.whole(api={"auth": auth}).returned
    jsonschema.validate(outputs, SCHEMA)
    assert bool(outputs["callers"]) is granted


def test_the_contract_refuses_what_breaks_it() -> None:
    outputs = importlib.import_module("tests.infra.aws.whole").graph().returned
    for broken in (
        {**outputs, "endpoint": "https://api.example.org/"},
        {key: value for key, value in outputs.items() if key != "callers"},
        {**outputs, "more": "1"},
        {**outputs, "data_url": "data-bucket"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, SCHEMA)
