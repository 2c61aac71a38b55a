"""Two stacks in one account are told apart in a bill and in a list."""

from __future__ import annotations

from types import ModuleType
from typing import Final

import pytest

from infra.labels import LABEL_CHARACTERS
from tests.graph import Graph, Resource
from tests.infra.aws import whole as aws
from tests.infra.gcp import whole as gcp

CLOUDS: Final = [pytest.param(aws, id="aws"), pytest.param(gcp, id="gcp")]
NAMELESS: Final = frozenset(
    {
        aws.ROUTE,
        aws.TARGET,
        aws.ROLE_POLICY,
        aws.RECURSION,
        aws.PERMISSION,
        aws.LIFECYCLE,
        aws.NOTIFICATION,
        aws.OWNERSHIP,
        aws.BUCKET_POLICY,
        aws.PUBLIC_ACCESS,
        aws.ENCRYPTION,
        aws.VERSIONING,
        aws.QUEUE_POLICY,
        aws.REDRIVE_ALLOW,
        aws.LOG_FILTER,
        aws.DASHBOARD,
        aws.TOPIC_POLICY,
        aws.TOPIC_SUBSCRIPTION,
        gcp.SERVICE,
        gcp.BUDGET,
        gcp.DASHBOARD,
        gcp.AGENT,
        gcp.OBJECT,
        gcp.NOTIFICATION,
        gcp.BUCKET_MEMBER,
        gcp.TOPIC_MEMBER,
        gcp.SUBSCRIPTION_MEMBER,
        gcp.PROJECT_MEMBER,
        gcp.REPOSITORY_MEMBER,
        gcp.ACCOUNT_MEMBER,
        gcp.INVOKER,
    }
)
"""Types that take neither labels nor a description: settings and policies of a resource that does, and objects."""


def said(resource: Resource) -> dict[str, str]:
    """What a resource says of where it belongs."""
    described = resource.inputs.get("description", "")
    pairs = (part.partition(" ") for part in described.split(", "))
    labels = next(filter(None, map(resource.inputs.get, ("userLabels", "tags", "labels"))), None)
    return labels or {key: value for key, _, value in pairs}


@pytest.mark.parametrize("whole", CLOUDS)
def test_every_resource_that_can_says_its_project_its_stack_and_its_component(whole: ModuleType) -> None:
    graph: Graph = whole.graph()
    wrong = [
        resource.name
        for resource in graph
        if not resource.component
        and resource.type not in NAMELESS
        and (said(resource).get("project"), said(resource).get("stack")) != ("serverless-ml", "test")
    ]
    assert wrong == []
    assert {said(one)["component"] for one in graph if "project" in said(one)} <= {
        resource.name for resource in graph if resource.component
    }


@pytest.mark.parametrize("whole", CLOUDS)
def test_what_is_for_one_model_says_which(whole: ModuleType) -> None:
    graph = whole.whole(models=["alpha", "beta"], scaling={"models": {"beta": {"profile": "eco", "memory_mb": 2048}}})
    functions = {resource.name: said(resource).get("model") for resource in graph.of(whole.FUNCTION)}
    assert (functions["predict-function"], functions["predict-beta-function"]) == (None, "beta")
    assert functions["train-function"] is None


def test_a_label_of_gcp_has_the_characters_that_it_takes() -> None:
    graph = gcp.whole(stack="Feature.Login_" + "x" * 70)
    (label,) = {resource.inputs["labels"]["stack"] for resource in graph.of(gcp.BUCKET)}
    assert label == ("feature-login_" + "x" * 70)[:LABEL_CHARACTERS]
