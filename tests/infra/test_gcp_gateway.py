from __future__ import annotations

import base64
import json
from typing import Any

import pulumi
import pytest

from infra.api_policy import Auth, Cors, IamAuth, JwtAuth, NoAuth, Throttling
from infra.gcp import CLOUD
from infra.gcp.gateway import Api
from infra.vocabulary import ApiArgs, Route
from tests.graph import Graph, deploy
from tests.infra import sample

ACCOUNT = "gcp:serviceaccount/account:Account"
INVOKER = "gcp:cloudrunv2/serviceIamMember:ServiceIamMember"
CONFIG = "gcp:apigateway/apiConfig:ApiConfig"
GATEWAY = "gcp:apigateway/gateway:Gateway"
OPEN = NoAuth(kind="none", reason="a public demonstration")


class Answering:
    """A function that is there already."""

    def __init__(self, name: str) -> None:
        self.name = self.logs = pulumi.Output.from_input(name)
        self.ref = pulumi.Output.from_input(f"https://{name}.a.run.app")


def built(auth: Auth, cors: Cors | None = None) -> Graph:
    def program() -> dict[str, pulumi.Output[str]]:
        predict, jobs = Answering("predict"), Answering("jobs")
        args = ApiArgs(
            routes=(
                Route(method="POST", path="/models/{model}/predict", function=predict, operation="predict"),
                Route(method="GET", path="/jobs/{model}/{job}", function=jobs, operation="job"),
                Route(method="POST", path="/jobs/{model}/{job}", function=predict, operation="again"),
            ),
            auth=auth,
            throttling=Throttling(rate=3, burst=5),
            cors=cors or Cors(),
            timeout_seconds=16,
            log_days=30,
        )
        api = Api("api", args)
        return {"endpoint": api.endpoint, "callers": api.callers}

    return deploy(program)


def document(graph: Graph) -> dict[str, Any]:
    contents = graph.one(CONFIG).inputs["openapiDocuments"][0]["document"]["contents"]
    return json.loads(base64.b64decode(contents))


def test_each_route_leads_to_its_own_function_with_the_path_kept() -> None:
    api = document(built(OPEN))
    backend = api["paths"]["/jobs/{model}/{job}"]["get"]["x-google-backend"]
    assert backend == {
        "address": "https://jobs.a.run.app",
        "jwt_audience": "https://jobs.a.run.app",
        "path_translation": "APPEND_PATH_TO_ADDRESS",
        "deadline": 16,
    }
    assert api["paths"]["/jobs/{model}/{job}"]["post"]["x-google-backend"]["address"] == "https://predict.a.run.app"


def test_every_variable_segment_is_declared() -> None:
    operation = document(built(OPEN))["paths"]["/jobs/{model}/{job}"]["get"]
    assert [(parameter["name"], parameter["in"], parameter["required"]) for parameter in operation["parameters"]] == [
        ("model", "path", True),
        ("job", "path", True),
    ]


def test_the_gateway_may_call_each_function_behind_it_once_and_no_other() -> None:
    graph = built(OPEN)
    gateway = graph.one(ACCOUNT, "api-identity").outputs["member"]
    invoked = [(resource.name, resource.inputs["name"], resource.inputs["member"]) for resource in graph.of(INVOKER)]
    assert invoked == [("api-invoker-again", "predict", gateway), ("api-invoker-job", "jobs", gateway)]
    signer = graph.one(CONFIG).inputs["gatewayConfig"]["backendConfig"]["googleServiceAccount"]
    assert gateway == f"serviceAccount:{signer}"


def test_a_token_of_the_issuer_for_one_of_its_audiences_is_asked_for() -> None:
    api = document(built(JwtAuth(kind="jwt", issuer="https://login.example.org", audience=("a", "b"))))
    assert api["securityDefinitions"]["token"]["x-google-issuer"] == "https://login.example.org"
    assert api["securityDefinitions"]["token"]["x-google-audiences"] == "a,b"
    assert api["security"] == [{"token": []}]


def test_iam_lets_in_only_whoever_may_sign_as_the_caller_account() -> None:
    graph = built(IamAuth())
    caller = graph.one(ACCOUNT, "api-caller").outputs["email"]
    definition = document(graph)["securityDefinitions"]["token"]
    assert definition["x-google-issuer"] == definition["x-google-audiences"] == caller
    assert graph.returned["callers"] == caller
    assert definition["x-google-jwks_uri"].endswith(f"/x509/{caller}")
    assert "accounts.google.com" not in json.dumps(document(graph)), "anybody with a Google account has such a token"


def test_the_caller_account_may_do_nothing_else() -> None:
    graph = built(IamAuth())
    caller = graph.one(ACCOUNT, "api-caller").outputs["member"]
    assert [resource.name for resource in graph if resource.inputs.get("member") == caller] == []


def test_an_open_api_asks_for_no_token_and_keeps_the_caller_for_when_it_does() -> None:
    graph = built(OPEN)
    assert not {"security", "securityDefinitions"} & set(document(graph))
    assert [resource.name for resource in graph.of(ACCOUNT)] == ["api-caller", "api-identity"]
    assert graph.returned["callers"] == ""


def test_a_rate_becomes_a_quota_a_minute_that_every_operation_counts_against() -> None:
    api = document(built(OPEN))
    (limit,) = api["x-google-management"]["quota"]["limits"]
    assert (limit["unit"], limit["values"]) == ("1/min/{project}", {"STANDARD": 180})
    operations = [operation for methods in api["paths"].values() for operation in methods.values()]
    assert all(operation["x-google-quota"] == {"metricCosts": {limit["metric"]: 1}} for operation in operations)


def test_origins_are_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="api api: API Gateway answers no preflight request"):
        built(OPEN, Cors(origins=("https://page.example.org",)))


def test_the_endpoint_is_the_gateways_own_host() -> None:
    graph = built(OPEN)
    assert graph.returned["endpoint"] == f"https://{graph.one(GATEWAY).outputs['defaultHostname']}"


def test_the_document_is_the_same_whenever_it_is_rendered() -> None:
    again = deploy(lambda: sample.program(CLOUD), stack=sample.STACK)
    assert again.one(CONFIG).inputs == sample.graph(CLOUD).one(CONFIG).inputs
