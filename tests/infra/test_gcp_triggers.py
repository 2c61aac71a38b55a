from __future__ import annotations

import base64
import json

import pulumi
import pulumi_gcp as gcp
import pytest

from infra.gcp import CLOUD
from infra.gcp.access import UNSCOPABLE, allow_in_project
from infra.gcp.project import AGENTS, SERVICES, agent_role, enable_services
from infra.gcp.schedule import Schedule
from infra.vocabulary import ScheduleArgs
from tests.graph import deploy
from tests.infra.gcp import whole as w
from tests.infra.test_triggers import Elsewhere, arrive


def test_a_dataset_starts_the_workflow_by_way_of_a_topic_of_its_own() -> None:
    trigger = w.graph().one(w.TRIGGER)
    topic = w.graph().one(w.TOPIC, "datasets-topic").outputs["id"]
    assert trigger.inputs["destination"] == {"workflow": w.graph().returned["workflow"]}
    assert trigger.inputs["transport"] == {"pubsub": {"topic": topic}}
    assert trigger.inputs["matchingCriterias"] == [
        {"attribute": "type", "value": "google.cloud.pubsub.topic.v1.messagePublished"}
    ]
    assert w.graph().one(w.NOTIFICATION, "datasets-another-incoming").inputs["topic"] == topic


def test_a_job_becomes_a_message_of_the_queue_itself() -> None:
    for model in ("breast_cancer", "another"):
        announced = w.graph().one(w.NOTIFICATION, f"submissions-{model}-in")
        assert announced.inputs["topic"] == w.graph().one(w.TOPIC, "jobs-topic").outputs["id"]
        assert announced.inputs["payloadFormat"] == "JSON_API_V1"


def test_only_finished_objects_below_the_prefix_are_announced() -> None:
    announced = w.graph().one(w.NOTIFICATION, "datasets-breast_cancer-incoming").inputs
    assert announced["bucket"] == "data-bucket-1a2b3c4"
    assert announced["objectNamePrefix"] == "breast_cancer/incoming/"
    assert announced["eventTypes"] == ["OBJECT_FINALIZE"]


def test_an_arrival_anywhere_in_the_store_asks_for_no_prefix() -> None:
    assert "objectNamePrefix" not in arrive(CLOUD, ("",)).one(w.NOTIFICATION, "new-all").inputs
    assert len(arrive(CLOUD, ("a/", "b/c/")).of(w.NOTIFICATION)) == 2


def test_a_schedule_starts_the_workflow_on_time_with_its_input() -> None:
    job = w.graph().one(w.JOB, "retrain-another-job").inputs
    assert (job["schedule"], job["timeZone"]) == ("0 3 * * 1", "Etc/UTC")
    target = job["httpTarget"]
    assert target["uri"] == f"https://workflowexecutions.googleapis.com/v1/{w.graph().returned['workflow']}/executions"
    assert target["httpMethod"] == "POST"
    assert json.loads(json.loads(base64.b64decode(target["body"]))["argument"]) == {"model": "another"}


def test_whatever_starts_the_workflow_is_one_account_that_may_do_nothing_else() -> None:
    starter = w.graph().one(w.ACCOUNT, "training-starter").outputs
    jobs = {job.inputs["httpTarget"]["oauthToken"]["serviceAccountEmail"] for job in w.graph().of(w.JOB)}
    assert {w.graph().one(w.TRIGGER).inputs["serviceAccount"], *jobs} == {starter["email"]}
    allowed = [resource.inputs["role"] for resource in w.graph() if resource.inputs.get("member") == starter["member"]]
    assert allowed == ["roles/workflows.invoker"]


def test_a_workflow_is_made_after_it_may_call_its_functions() -> None:
    workflow = w.graph().one(w.WORKFLOW)
    invokers = {resource.urn for resource in w.graph().of(w.INVOKER) if resource.name.startswith("training-")}
    assert len(invokers) == 4
    assert invokers <= set(workflow.dependencies)


def test_a_schedule_of_another_clouds_workflow_is_refused() -> None:
    with pytest.raises(TypeError, match="Elsewhere is neither a workflow nor a function of this cloud"):
        deploy(lambda: Schedule("nightly", ScheduleArgs(cron="0 3 * * *", target=Elsewhere(), input={})) and None)  # ty: ignore[invalid-argument-type]


def test_only_what_has_no_narrower_place_is_granted_on_the_project() -> None:
    def program() -> None:
        identity = gcp.serviceaccount.Account("reader")
        allow_in_project("reader-all", identity, "roles/storage.objectViewer", pulumi.ResourceOptions())

    with pytest.raises(ValueError, match="grant it on the resource"):
        deploy(program)
    granted = {resource.inputs["role"] for resource in w.graph().of(w.PROJECT_MEMBER)}
    assert granted == {*UNSCOPABLE, *map(agent_role, AGENTS), "roles/storage.objectViewer"}
    assert all("https://" in reason for reason in UNSCOPABLE.values())


def test_every_service_is_turned_on_once() -> None:
    graph = deploy(lambda: enable_services() and None)
    assert [resource.inputs["service"] for resource in graph.of(w.SERVICE)] == [
        f"{name}.googleapis.com" for name in SERVICES
    ]
    assert len(set(SERVICES)) == len(SERVICES)


def test_service_agents_are_asked_for_once_their_service_is_on_and_keep_their_roles_for_other_stacks() -> None:
    graph = deploy(lambda: enable_services() and None)
    for service in AGENTS:
        agent = graph.one(w.AGENT, f"services-{service}-agent")
        assert graph.one(w.SERVICE, f"services-{service}").urn in agent.dependencies
        grant = graph.one(w.PROJECT_MEMBER, f"services-{service}-agent-role")
        assert agent.urn in grant.dependencies
        assert (grant.inputs["role"], grant.inputs["member"]) == (agent_role(service), w.agent_member(service))
        assert grant.retain


def test_an_arrival_at_a_queue_without_a_consumer_waits_for_its_grant_alone() -> None:
    notification = arrive(CLOUD, ("a/",)).one(w.NOTIFICATION)
    assert not [urn for urn in notification.dependencies if w.SUBSCRIPTION in urn]
