"""A model with its own scaling, on both clouds: its own function, its own paths, its own grants."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any

import pytest

from infra import blueprint, clouds
from infra.function_table import FUNCTIONS
from infra.settings import Settings
from interface import operations
from tests.graph import Graph, deploy
from tests.infra import sample
from tests.infra.aws import whole as w
from tests.infra.facts import Reader, components
from tests.infra.gcp_facts import BUCKET_MEMBER, CONFIG
from tests.infra.gcp_facts import FUNCTION as GCP_FUNCTION
from tests.infra.test_every_cloud import READERS
from tests.infra.test_rules import CLOUDS, Rule, RuledCloud

ROUTES = {operation.id: (operation.method, operation.path) for operation in operations.ROUTES}

LONG = "a_model_whose_name_is_as_long_as_it_may_possibly"
OWN = {LONG: {"profile": "latency", "memory_mb": 2048}}
every_cloud = pytest.mark.parametrize("reader", READERS, ids=str)


def deployed(reader: Reader) -> Graph:
    return _deployed(reader.cloud.name)


@cache
def _deployed(cloud: str) -> Graph:
    document: dict[str, Any] = {"cloud": cloud, "models": ["first", LONG, "third"], "scaling": {"models": OWN}}
    document["training"] = {"schedule": "0 3 * * 1"}
    # A second predict function and a night for a million rows are more processors than a new project of GCP has.
    document["functions"] = {name: {"memory_mb": 256} for name in ("watch", "rollout")}
    document["alerts"] = {"email": ["ml@example.org"]}
    account = {"billing_account": "01A2B3-4C5D6E-7F8091"} if cloud == "gcp" else {}
    document["budget"] = {"usd_a_month": 50, "stop_at": 1, **account}
    settings = Settings.parse(document, where="Pulumi.test.yaml")
    archives = {spec.name: sample.archive(spec.name) for spec in FUNCTIONS}
    return deploy(lambda: blueprint.draw(clouds.find(cloud), settings, sample.PLATFORM, archives))


def functions(graph: Graph) -> tuple[str, str]:
    """The names of the shared predict function and of the model's own."""
    shared, own = sorted(
        resource.name for resource in components(graph, "Function") if resource.name.startswith("predict")
    )
    return shared, own


def routed(reader: Reader, graph: Graph) -> dict[str, str]:
    """The function that each route leads to, by `METHOD /path`."""
    owners = {resource.urn: owner.name for resource in graph.of(reader.function) if (owner := graph.owner(resource))}
    if reader.function == GCP_FUNCTION:
        by_address = {f.outputs["serviceConfig"]["uri"]: owners[f.urn] for f in graph.of(reader.function)}
        document = json.loads(base64.b64decode(graph.one(CONFIG).inputs["openapiDocuments"][0]["document"]["contents"]))
        return {
            f"{method.upper()} {path}": by_address[operation["x-google-backend"]["address"]]
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }
    by_target = {
        f"integrations/{resource.outputs['id']}": owners[function.urn]
        for resource in graph.of(w.INTEGRATION)
        for function in graph.of(reader.function)
        if resource.inputs["integrationUri"].startswith(f"{function.outputs['arn']}:")
    }
    return {resource.inputs["routeKey"]: by_target[resource.inputs["target"]] for resource in graph.of(w.ROUTE)}


@every_cloud
def test_paths_of_the_model_lead_to_its_function_and_all_others_to_the_shared_one(reader: Reader) -> None:
    graph = deployed(reader)
    shared, own = functions(graph)
    expected = {f"{method} {path}": shared for method, path in ROUTES.values()}
    expected |= {f"{m} {path.replace('{model}', LONG)}": own for m, path in ROUTES.values() if "{model}" in path}
    found = {route.replace("{proxy=**}", "{proxy+}"): function for route, function in routed(reader, graph).items()}
    rest = {route: function for route, function in found.items() if route not in expected}
    if rest:  # a cloud without a word for any method names each
        assert {route.partition(" ")[2] for route in rest} == {operations.UNKNOWN.path}
        found = {route: found[route] for route in found if route not in rest}
        found[f"ANY {operations.UNKNOWN.path}"], *others = {*rest.values()}
        assert not others
    assert found == expected


@every_cloud
def test_a_function_set_apart_may_read_its_own_models_alone_and_the_shared_one_every_model(reader: Reader) -> None:
    """A model that gets a function of its own is answered by the shared one until the API leads there."""
    graph = deployed(reader)
    shared, own = functions(graph)
    probes = [f"{model}/{key}" for model in ("first", LONG, "third") for key in ("versions/v", "live.json")]
    read = {
        name: {
            p.key
            for p in reader.read(graph, [*probes, "x/third/versions/v"]).permissions
            if (p.function, p.access) == (name, "get") and p.bucket.startswith("models")
        }
        for name in (shared, own)
    }
    assert read[own] == {f"{LONG}/versions/v", f"{LONG}/live.json"}
    assert read[shared] & set(probes) == set(probes)


@every_cloud
def test_the_size_of_the_model_is_its_functions(reader: Reader) -> None:
    graph = deployed(reader)
    shared, own = functions(graph)
    memory = {function.name: function.memory_mb for function in reader.read(graph).functions}
    assert (memory[shared], memory[own]) == (1024, 2048)


@every_cloud
def test_each_function_has_its_own_upload_and_identity(reader: Reader) -> None:
    facts = reader.read(deployed(reader))
    assert len({function.code for function in facts.functions}) == len(facts.functions)
    assert len({function.identity for function in facts.functions}) == len(facts.functions)


@every_cloud
def test_longest_names_still_fit(reader: Reader) -> None:
    """Pulumi adds a hyphen and seven characters. 49 is Cloud Run's, 30 an account's, 64 all of AWS's here."""
    graph = deployed(reader)
    named = {
        "gcp:serviceaccount/account:Account": 30,
        GCP_FUNCTION: 49,
        w.FUNCTION: 64,
        w.ROLE: 64,
        BUCKET_MEMBER: 200,  # a binding has no name outside of the state
    }
    assert [resource.name for resource in graph if len(resource.name) + 8 > named.get(resource.type, 100)] == []


@pytest.mark.parametrize(
    ("cloud", "rule"),
    [pytest.param(cloud, rule, id=f"{cloud.name}-{rule.__name__}") for cloud in CLOUDS for rule in cloud.rules],
)
def test_several_predict_functions_keep_every_rule(cloud: RuledCloud, rule: Rule) -> None:
    assert rule(_deployed(cloud.name)) == []
