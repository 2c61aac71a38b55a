"""The resource handlers of the embedded GCP; engine/test_resource_handler.py is for every cloud."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from localcloud.gcp.iam.condition import RequestAttributes
from localcloud.gcp.project import Project
from localcloud.gcp.pubsub.message import Message
from tests.localcloud import on_gcp
from tests.localcloud.conftest import GcpLab
from tests.localcloud.on_gcp import Everything

TOPIC, SUBSCRIPTION = "gcp:pubsub/topic:Topic", "gcp:pubsub/subscription:Subscription"


@pytest.fixture(params=[False, True], ids=["as created", "as changed"])
def second(request: pytest.FixtureRequest) -> bool:
    return request.param


@pytest.fixture
def deployed(gcp_lab: GcpLab, second: bool) -> GcpLab:
    gcp_lab.deploy(Everything())
    if second:
        gcp_lab.deploy(Everything(second=True))
    return gcp_lab


@pytest.fixture
def pick(second: bool) -> Any:
    return Everything(second=second).pick


@pytest.fixture
def project(deployed: GcpLab) -> Project:
    return deployed.cloud.session


def until(look: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not look():
        assert time.monotonic() < end
        time.sleep(0.02)


def ask(host: str, path: str) -> int:
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


def test_buckets_hold_their_objects_and_accounts_may_do_what_they_were_granted(
    deployed: GcpLab, project: Project, pick: Any
) -> None:
    bucket = deployed.resource("gcp:storage/bucket:Bucket", "data").id
    assert deployed.cloud.store(f"gs://{bucket}").get("a/note.txt") == pick(b"one", b"two")
    worker = deployed.resource("gcp:serviceaccount/account:Account", "worker").outputs["email"]
    bucket_name = f"projects/_/buckets/{bucket}"

    def readable(key: str) -> bool:
        return project.bindings.allows(
            worker, "storage.objects.get", bucket_name, RequestAttributes(name=f"{bucket_name}/objects/{key}")
        )

    assert (readable("a/x"), readable("b/x")) == pick((True, False), (False, True))
    workflow = deployed.resource(deployed.cloud.workflow).id
    assert project.bindings.allows(worker, "workflows.executions.create", workflow) is pick(True, False)
    assert project.bindings.allows(worker, "logging.logEntries.create", f"projects/{project.name}") is pick(False, True)


def test_messages_are_delivered_as_the_subscription_says(deployed: GcpLab, project: Project, pick: Any) -> None:
    identity, dead = deployed.resource(SUBSCRIPTION).id, deployed.resource(TOPIC, "dead").id
    args = project.pubsub.subscription(identity)
    assert (args.topic, args.ack_deadline_seconds) == (deployed.resource(TOPIC, "work").id, pick(20, 30))
    assert args.retry
    assert (args.retry.minimum, args.retry.maximum) == (10, 60)
    assert args.dead_letters
    assert (args.dead_letters.topic, args.dead_letters.max_delivery_attempts) == (dead, pick(5, 6))
    agent = deployed.resource("gcp:projects/serviceIdentity:ServiceIdentity", "agent").outputs["email"]
    assert project.bindings.allows(agent, "pubsub.topics.publish", dead) is pick(True, False)
    assert project.bindings.allows(agent, "pubsub.subscriptions.consume", identity) is pick(True, False)


def test_new_objects_under_the_prefix_are_announced_to_the_topic(deployed: GcpLab, project: Project, pick: Any) -> None:
    store = deployed.cloud.store(f"gs://{deployed.resource('gcp:storage/bucket:Bucket', 'data').id}")
    for key in ("a/new", "b/new", "c/new"):
        store.put(key, b"1")
    deliveries = project.pubsub.pull(deployed.resource(SUBSCRIPTION).id, 100)
    assert {one.message.attributes["objectId"] for one in deliveries} - {"a/note.txt"} == {pick("a/new", "b/new")}


def test_a_message_starts_the_workflow_if_the_account_of_the_trigger_may(
    deployed: GcpLab, project: Project, pick: Any
) -> None:
    """The second program names an account without the role."""
    workflow = deployed.resource(deployed.cloud.workflow).id
    project.pubsub.publish(deployed.resource(TOPIC, "arrived").id, [Message(data=b"1")])
    if pick(True, False):
        until(lambda: "succeeded" in deployed.cloud.executions(workflow).values())
    else:
        until(lambda: f"lacks workflows.executions.create on {workflow}" in log(deployed))
        assert deployed.cloud.executions(workflow) == {}


def test_a_workflow_is_the_one_that_was_declared_last(deployed: GcpLab, project: Project, pick: Any) -> None:
    workflow = deployed.resource(deployed.cloud.workflow).id
    identity = deployed.cloud.execute(workflow, {})
    until(lambda: deployed.cloud.executions(workflow)[identity] == "succeeded")
    assert project.workflows.execution(workflow, identity).result == pick("one", "two")


def test_a_job_starts_the_workflow_if_its_account_may(deployed: GcpLab, project: Project, pick: Any) -> None:
    """The second program takes the role away."""
    workflow, job = deployed.resource(deployed.cloud.workflow).id, deployed.resource("gcp:cloudscheduler/job:Job").id
    project.scheduler.run(job)
    if pick(True, False):
        until(lambda: "succeeded" in deployed.cloud.executions(workflow).values())
    else:
        until(lambda: f"{job}: its request was answered with 403" in log(deployed))
        assert deployed.cloud.executions(workflow) == {}


def test_a_person_speaks_to_topics_and_workflows_over_http(gcp_lab: GcpLab) -> None:
    gcp_lab.deploy(Everything())
    project = gcp_lab.cloud.session
    topic, workflow = gcp_lab.resource(TOPIC, "work").id, gcp_lab.resource(gcp_lab.cloud.workflow).id

    def post(path: str, body: object, token: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(project.api.url.removeprefix("http://"), timeout=30)
        connection.request("POST", f"/v1/{path}", json.dumps(body), {"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        document = json.loads(response.read())
        connection.close()
        return response.status, document

    message = {"messages": [{"data": "b25l"}]}
    assert post(f"{topic}:publish", message, "nobody")[0] == 403
    assert post(f"{topic}:publish", message, project.owner)[0] == 200
    _, pulled = post(f"{gcp_lab.resource(SUBSCRIPTION).id}:pull", {"maxMessages": 10}, project.owner)
    assert "b25l" in [one["message"].get("data") for one in pulled["receivedMessages"]]
    assert post(f"{workflow}/executions", {"argument": "{}"}, "nobody")[0] == 403
    status, execution = post(f"{workflow}/executions", {"argument": "{}"}, project.owner)
    assert status == 200
    until(lambda: gcp_lab.cloud.executions(workflow)[execution["name"].rsplit("/", 1)[-1]] == "succeeded")


def test_a_function_answers_with_its_variables_and_the_gateway_leads_to_it(deployed: GcpLab, pick: Any) -> None:
    assert deployed.call(deployed.resource(deployed.cloud.function))["env"]["COLOUR"] == pick("red", "blue")
    host = deployed.resource("gcp:apigateway/gateway:Gateway").outputs["defaultHostname"]
    assert (ask(host, "/things"), ask(host, "/things/1")) == pick((200, 404), (404, 200))


def test_instances_that_are_to_wait_do_and_what_is_not_done_here_is_said(gcp_lab: GcpLab) -> None:
    gcp_lab.deploy(
        lambda: on_gcp.function(
            min_instance_count=2, max_instance_count=3, max_instance_request_concurrency=4, available_cpu="1"
        )
    )
    function = gcp_lab.resource(on_gcp.FUNCTION)
    assert len(gcp_lab.cloud.session.functions.copies(function.outputs["name"])) == 2
    assert gcp_lab.engine.not_emulated[f"{on_gcp.FUNCTION}.serviceConfig.availableCpu"] == "this machine's own"
    gcp_lab.deploy(on_gcp.busy)
    assert len(gcp_lab.cloud.session.functions.copies(function.outputs["name"])) == 1


def test_nothing_of_the_host_is_in_a_functions_environment(gcp_lab: GcpLab) -> None:
    gcp_lab.deploy(on_gcp.busy)
    env = gcp_lab.call(gcp_lab.resource(on_gcp.FUNCTION))["env"]
    assert not {"SECRET_OF_THE_HOST", "PYTEST_CURRENT_TEST", "VIRTUAL_ENV"} & env.keys()


def test_a_dependency_that_the_archive_does_not_lock_is_missing(gcp_lab: GcpLab) -> None:
    with pytest.raises(Exception, match="No module named 'boto3'"):
        gcp_lab.deploy(lambda: on_gcp.function("import boto3\ndef handle(request):\n    return {}\n"))


def test_what_a_function_prints_can_be_read(gcp_lab: GcpLab) -> None:
    gcp_lab.deploy(
        lambda: on_gcp.function("def handle(request):\n    print('one line', request.path)\n    return {}\n")
    )
    function = gcp_lab.resource(on_gcp.FUNCTION)
    gcp_lab.call(function, "/seven")
    assert any("seven" in line for line in gcp_lab.cloud.lines(function, 50))


def test_the_address_of_a_gateway_is_the_one_that_is_served(gcp_lab: GcpLab) -> None:
    declared = {"endpoint": "https://127.0.0.1:8400", "m": {"x": ["https://127.0.0.1:8400/x", 1]}, "at": "https://x.y"}
    assert gcp_lab.cloud.outputs(declared) == {
        "endpoint": "http://127.0.0.1:8400",
        "m": {"x": ["http://127.0.0.1:8400/x", 1]},
        "at": "https://x.y",
    }


def log(lab: GcpLab) -> str:
    return lab.cloud.log.read_text(encoding="utf-8")
