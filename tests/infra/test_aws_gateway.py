from __future__ import annotations

import json
from typing import Any

import pytest

from tests.graph import Graph
from tests.infra.aws import whole as w
from tests.infra.aws.rules_compute import RULES as COMPUTE
from tests.infra.aws.rules_edges import RULES as EDGES

OPEN = {"kind": "none", "reason": "a public demonstration"}
JWT = {"kind": "jwt", "issuer": "https://issuer.example", "audience": ["predictions"]}


def deployed(**api: Any) -> Graph:
    return w.whole(api=api)


def authorization(graph: Graph) -> set[tuple[str, str | None]]:
    return {(route.inputs["authorizationType"], route.inputs.get("authorizerId")) for route in graph.of(w.ROUTE)}


def test_callers_sign_their_requests_by_default() -> None:
    assert authorization(w.graph()) == {("AWS_IAM", None)}


def test_tokens_are_checked_against_issuer_and_audience() -> None:
    graph = deployed(auth=JWT)
    authorizer = graph.one("aws:apigatewayv2/authorizer:Authorizer")
    assert authorization(graph) == {("JWT", authorizer.outputs["id"])}
    assert authorizer.inputs["jwtConfiguration"] == {"issuer": JWT["issuer"], "audiences": JWT["audience"]}
    assert authorizer.inputs["identitySources"] == ["$request.header.Authorization"]


def test_an_open_api_says_why() -> None:
    graph = deployed(auth=OPEN)
    assert authorization(graph) == {("NONE", None)}
    assert graph.one(w.API).inputs["description"] == "Open to everyone: a public demonstration"


@pytest.mark.parametrize("api", [{"auth": OPEN}, {"auth": JWT}, {"cors": {"origins": ["https://a.example"]}}])
def test_every_choice_keeps_the_rules(api: dict[str, Any]) -> None:
    graph = deployed(**api)
    assert [problem for rule in (*COMPUTE, *EDGES) for problem in rule(graph)] == []


def test_pages_may_call_only_when_they_are_listed() -> None:
    assert "corsConfiguration" not in w.graph().one(w.API).inputs
    cors = deployed(cors={"origins": ["https://a.example"]}).one(w.API).inputs["corsConfiguration"]
    assert (cors["allowOrigins"], cors["allowCredentials"]) == (["https://a.example"], False)
    assert cors["allowMethods"] == ["GET", "POST"]


def test_throttling_is_what_the_settings_say() -> None:
    limits = deployed(throttling={"rate": 7, "burst": 9}).one(w.STAGE).inputs["defaultRouteSettings"]
    assert (limits["throttlingRateLimit"], limits["throttlingBurstLimit"]) == (7, 9)


def test_all_routes_share_their_functions_one_integration() -> None:
    graph = w.graph()
    integration = graph.one(w.INTEGRATION)
    assert {route.inputs["target"] for route in graph.of(w.ROUTE)} == {f"integrations/{integration.outputs['id']}"}
    assert integration.inputs["payloadFormatVersion"] == "2.0"
    assert len({route.inputs["routeKey"] for route in graph.of(w.ROUTE)}) == len(graph.of(w.ROUTE))


def test_the_access_log_records_status_and_duration() -> None:
    logged = json.loads(w.graph().one(w.STAGE).inputs["accessLogSettings"]["format"])
    assert {"requestId", "routeKey", "status", "responseLatency"} <= set(logged)


def test_the_endpoint_ends_without_a_slash() -> None:
    assert w.graph().returned["endpoint"] == "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
