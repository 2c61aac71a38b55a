from __future__ import annotations

import base64
import json
import re
from dataclasses import replace

import pulumi
import pulumi_gcp as gcp
import pytest

from infra.gcp import CLOUD
from infra.gcp.access import UNSCOPABLE, allow_in_project
from infra.gcp.project import AGENTS, SERVICES, agent_role, enable_services
from infra.gcp.schedule import Schedule
from infra.keys import Keys
from infra.vocabulary import ArrivalArgs, QueueArgs, ScheduleArgs, StoreArgs
from localcloud.gcp.pubsub.dead_letters import REDRIVEN
from localcloud.gcp.pubsub.message import Message
from localcloud.gcp.pubsub.transform import Transform
from tests.graph import deploy
from tests.infra.gcp import whole as w
from tests.infra.test_triggers import Elsewhere, arrive
from tests.root import ROOT


def test_a_dataset_starts_the_workflow_by_way_of_a_topic_of_its_own() -> None:
    trigger = w.graph().one(w.TRIGGER)
    topic = w.graph().one(w.TOPIC, "datasets-topic").outputs["id"]
    assert trigger.inputs["destination"] == {"workflow": w.graph().returned["workflow"]}
    assert trigger.inputs["transport"] == {"pubsub": {"topic": topic}}
    assert trigger.inputs["matchingCriterias"] == [
        {"attribute": "type", "value": "google.cloud.pubsub.topic.v1.messagePublished"}
    ]
    assert w.graph().one(w.NOTIFICATION, "datasets-notification").inputs["topic"] == topic


def test_a_job_becomes_a_message_of_the_queue_itself() -> None:
    announced = w.graph().one(w.NOTIFICATION, "submissions-notification")
    assert announced.inputs["topic"] == w.graph().one(w.TOPIC, "jobs-topic").outputs["id"]
    assert announced.inputs["payloadFormat"] == "JSON_API_V1"


def test_every_finished_object_of_the_bucket_is_announced_to_its_topic() -> None:
    announced = w.graph().one(w.NOTIFICATION, "datasets-notification").inputs
    assert announced["bucket"] == "data-bucket-1a2b3c4"
    assert announced["eventTypes"] == ["OBJECT_FINALIZE"]
    assert "objectNamePrefix" not in announced


@pytest.mark.parametrize(
    ("key", "passes"),
    [
        ("breast_cancer/incoming/x.csv", True),
        ("another/incoming/deep/x.csv", True),
        ("breast_cancer/datasets/x.csv", False),
        ("breast_cancer/incoming", False),
        ("breast_cancer2/incoming/x", False),
        ("elsewhere/incoming/x", False),
        ("elsewhere/breast_cancer/incoming/x", False),
        ("breast_cancer/datasets/incoming/x", False),
        ("incoming/x", False),
        ("", False),
    ],
)
def test_the_topic_keeps_the_announcements_of_the_models_below_the_prefix_alone(key: str, passes: bool) -> None:
    assert w.announced(w.graph(), w.graph().one(w.NOTIFICATION, "datasets-notification"), key) is passes


def test_dots_and_slashes_of_a_prefix_stand_for_themselves() -> None:
    graph = arrive(CLOUD, Keys(models=("a", "b"), prefixes=("", "new.d/c/")))
    everything = graph.one(w.NOTIFICATION)
    assert [w.announced(graph, everything, key) for key in ("a/x", "b/new.d/c/x", "c/x")] == [True, True, False]
    graph = arrive(CLOUD, Keys(models=("a",), prefixes=("new.d/c/",)))
    assert [w.announced(graph, graph.one(w.NOTIFICATION), f"a/{key}") for key in ("new.d/c/x", "newXd/c/x")] == [
        True,
        False,
    ]


def of_jobs() -> Transform:
    (transform,) = w.graph().one(w.TOPIC, "jobs-topic").inputs["messageTransforms"]
    udf = transform["javascriptUdf"]
    return Transform(function_name=udf["functionName"], code=udf["code"])


def test_a_message_that_announces_no_object_passes() -> None:
    for message in (Message(data=b"{}"), Message(data=b"{}", attributes={"reason": "x"})):
        assert of_jobs()(message) == message


def test_a_dead_letter_of_a_model_that_is_gone_is_not_lost_when_it_is_sent_back() -> None:
    new = Message(data=b"{}", attributes={"eventType": "OBJECT_FINALIZE", "objectId": "gone/in/x"})
    assert of_jobs()(new) is None
    (shown,) = re.findall(r'topics publish .* --attribute "(.*)"', (ROOT / "docs" / "jobs.md").read_text())
    attributes = dict(pair.split("=") for pair in shown.replace("$key", "gone/in/x").split(","))
    for again in ({**new.attributes, REDRIVEN: "true"}, attributes):
        sent_back = replace(new, attributes=again)
        assert of_jobs()(sent_back) == sent_back


def test_a_prefix_that_could_end_the_pattern_is_refused() -> None:
    for prefix in ("a)/.*|(", "a\\", "a\n", "a/*"):
        with pytest.raises(ValueError, match="letters, digits and"):
            arrive(CLOUD, Keys(models=("a",), prefixes=(prefix,)))


def test_an_arrival_at_a_queue_that_would_drop_it_is_refused() -> None:
    args = QueueArgs(consumer_timeout_seconds=10, attempts=5, keys=Keys(models=("a",), prefixes=("out/",)))

    def program() -> None:
        store = CLOUD.store("data", StoreArgs(announces=True))
        queue = CLOUD.queue("jobs", args)
        CLOUD.arrival("new", ArrivalArgs(store=store, keys=Keys(models=("a",), prefixes=("in/",)), target=queue))

    with pytest.raises(ValueError, match="arrival new: its queue was made with other keys, or with none"):
        deploy(program)


def test_a_schedule_starts_the_workflow_on_time_with_its_input() -> None:
    job = w.graph().one(w.JOB, "retrain-another-job").inputs
    assert (job["schedule"], job["timeZone"]) == ("0 3 * * 1", "Etc/UTC")
    target = job["httpTarget"]
    assert target["uri"] == f"https://workflowexecutions.googleapis.com/v1/{w.graph().returned['workflow']}/executions"
    assert target["httpMethod"] == "POST"
    assert json.loads(json.loads(base64.b64decode(target["body"]))["argument"]) == {"model": "another"}


def test_whatever_starts_the_workflow_is_one_account_that_may_do_nothing_else() -> None:
    starter = w.graph().one(w.ACCOUNT, "training-starter").outputs
    targets = [job.inputs["httpTarget"] for job in w.graph().of(w.JOB)]
    jobs = {target["oauthToken"]["serviceAccountEmail"] for target in targets if "oauthToken" in target}
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
    # Jobs of Cloud Scheduler have no policy of their own: who stops the stack has a role that pauses, and no more.
    pausing = w.graph().one(w.CUSTOM_ROLE, "stop-jobs").outputs["name"]
    assert granted == {*UNSCOPABLE, *map(agent_role, AGENTS), "roles/storage.objectViewer", pausing}
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
    notification = arrive(CLOUD, Keys(models=("a",), prefixes=("in/",))).one(w.NOTIFICATION)
    assert not [urn for urn in notification.dependencies if w.SUBSCRIPTION in urn]
