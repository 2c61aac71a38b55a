"""From a finalized object to a topic, and from a topic to a workflow."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from localcloud.gcp.eventarc.notifications import Notification, Notifications
from localcloud.gcp.eventarc.triggers import Trigger, Triggers
from localcloud.gcp.iam.bindings import SUBSCRIBE
from localcloud.gcp.pubsub.pubsub import CONSUME, PUBLISH, NotFound, PubSub
from localcloud.gcp.pubsub.subscription import SubscriptionArgs
from localcloud.gcp.workflows import ACTIVE, Workflows

pytestmark = pytest.mark.integration

TOPIC = "projects/p/topics/datasets"
SEEN = "projects/p/subscriptions/seen"
WORKFLOW = "projects/p/locations/eu/workflows/training"
STARTER = "starter@p.iam"
TRIGGER = Trigger(
    name="projects/p/locations/eu/triggers/datasets", topic=TOPIC, workflow=WORKFLOW, service_account=STARTER
)
ECHO = "main: {params: [event], steps: [{a: {return: '${event}'}}]}"


@dataclass
class Bench:
    """Pub/Sub, notifications and triggers under one clock, with what was granted."""

    now: float = 1_700_000_000.25
    publishes: bool = True
    subscribes: bool = True
    starters: set[str] = field(default_factory=lambda: {STARTER})
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pubsub = PubSub(
            token=lambda *_: "t",
            agent_may=lambda *_: True,
            log=self.lines.append,
            now=lambda: self.now,
            run=lambda work: work(),
        )
        self.workflows = Workflows(token=lambda *_: "t", log=lambda _: None)
        self.notifications = Notifications(
            self.pubsub,
            agent_may=lambda permission, topic: self.publishes and (permission, topic) == (PUBLISH, TOPIC),
            log=self.lines.append,
            now=lambda: self.now,
        )
        self.triggers = Triggers(
            self.pubsub,
            self.workflows,
            may_invoke=lambda account, workflow: account in self.starters and workflow == WORKFLOW,
            agent_may=lambda permission, topic: self.subscribes and (permission, topic) == (SUBSCRIBE, TOPIC),
            log=self.lines.append,
        )
        self.pubsub.create_topic(TOPIC)
        self.pubsub.create_subscription(SubscriptionArgs(name=SEEN, topic=TOPIC))

    def messages(self) -> list[Any]:
        deliveries = self.pubsub.pull(SEEN, 100)
        self.pubsub.acknowledge(SEEN, [delivery.ack_id for delivery in deliveries])
        return [delivery.message for delivery in deliveries]

    def results(self) -> list[Any]:
        deadline = time.monotonic() + 30
        while self.workflows.executions(WORKFLOW, ACTIVE):
            assert time.monotonic() < deadline
            time.sleep(0.002)
        return [execution.result for execution in self.workflows.executions(WORKFLOW)]


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.workflows.stop()


def announce(bench: Bench, **rest: Any) -> str:
    return bench.notifications.create(Notification(bucket="data", topic=TOPIC, **rest))


def test_a_new_object_is_announced_as_cloud_storage_announces_it(bench: Bench) -> None:
    identity = announce(bench, prefix="m/incoming/", attributes={"mine": "1"})
    bench.notifications.finalized("data", "m/incoming/a b.csv", 7, 42)
    message = bench.messages()[0]
    assert message.attributes == {
        "mine": "1",
        "notificationConfig": f"projects/_/buckets/data/notificationConfigs/{identity}",
        "eventType": "OBJECT_FINALIZE",
        "payloadFormat": "JSON_API_V1",
        "bucketId": "data",
        "objectId": "m/incoming/a b.csv",
        "objectGeneration": "7",
        "eventTime": "2023-11-14T22:13:20.250000Z",
    }
    resource = json.loads(message.data)
    assert (resource["kind"], resource["name"], resource["bucket"]) == ("storage#object", "m/incoming/a b.csv", "data")
    assert (resource["generation"], resource["size"], resource["id"]) == ("7", "42", "data/m/incoming/a b.csv/7")
    assert resource["selfLink"].endswith("/b/data/o/m%2Fincoming%2Fa%20b.csv")


def test_only_objects_under_the_prefix_of_that_bucket_are_announced(bench: Bench) -> None:
    announce(bench, prefix="m/incoming/")
    for bucket, key in (("data", "m/datasets/x"), ("other", "m/incoming/x"), ("data", "m/incoming")):
        bench.notifications.finalized(bucket, key, 1, 1)
    assert bench.messages() == []


def test_events_that_are_not_named_are_not_announced(bench: Bench) -> None:
    announce(bench, event_types=frozenset({"OBJECT_DELETE"}))
    bench.notifications.finalized("data", "x", 1, 1)
    assert bench.messages() == []


def test_every_notification_that_fits_announces_the_object(bench: Bench) -> None:
    announce(bench, prefix="m/")
    announce(bench, prefix="m/in")
    bench.notifications.finalized("data", "m/in/x", 1, 1)
    assert len(bench.messages()) == 2


def test_a_replaced_object_names_the_generation_before(bench: Bench) -> None:
    announce(bench)
    bench.notifications.finalized("data", "x", 1, 1)
    bench.notifications.finalized("data", "x", 2, 1)
    assert [message.attributes.get("overwroteGeneration") for message in bench.messages()] == [None, "1"]


def test_without_a_payload_there_are_attributes_alone(bench: Bench) -> None:
    announce(bench, payload_format="NONE")
    bench.notifications.finalized("data", "x", 1, 1)
    message = bench.messages()[0]
    assert (message.data, message.attributes["payloadFormat"]) == (b"", "NONE")


def test_a_deleted_notification_announces_nothing_more(bench: Bench) -> None:
    bench.notifications.delete("data", announce(bench))
    bench.notifications.finalized("data", "x", 1, 1)
    assert bench.messages() == []


def test_a_service_agent_that_may_not_publish_makes_no_notification(bench: Bench) -> None:
    bench.publishes = False
    with pytest.raises(ValueError, match=f"lacks roles/pubsub.publisher on {TOPIC}"):
        announce(bench)


def test_a_grant_that_is_taken_away_is_missed_and_said_once(bench: Bench) -> None:
    announce(bench)
    bench.publishes = False
    for generation in (1, 2):
        bench.notifications.finalized("data", "x", generation, 1)
    bench.publishes = True
    bench.notifications.finalized("data", "y", 1, 1)
    assert [message.attributes["objectId"] for message in bench.messages()] == ["y"]
    assert bench.lines == [
        f"bucket data: {TOPIC} has no notice of x: the Cloud Storage service agent lacks roles/pubsub.publisher on it"
    ]


def test_a_topic_that_is_gone_is_said(bench: Bench) -> None:
    announce(bench)
    bench.pubsub.delete_topic(TOPIC)
    bench.notifications.finalized("data", "x", 1, 1)
    assert bench.lines == [f"bucket data: {TOPIC} has no notice of x: it does not exist"]


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"event_types": frozenset({"OBJECT_MADE"})}, "OBJECT_MADE"),
        ({"payload_format": "XML"}, "accepted: JSON_API_V1"),
    ],
)
def test_a_notification_that_cannot_be_is_refused(bench: Bench, wrong: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        announce(bench, **wrong)


def test_an_event_has_at_most_ten_notifications_of_a_bucket(bench: Bench) -> None:
    for number in range(10):
        announce(bench, prefix=f"{number}/", event_types=frozenset({"OBJECT_FINALIZE"}))
    announce(bench, event_types=frozenset({"OBJECT_DELETE"}))
    with pytest.raises(ValueError, match="10 have OBJECT_FINALIZE already"):
        announce(bench, event_types=frozenset({"OBJECT_FINALIZE"}))


def test_a_workflow_is_started_with_the_event_of_the_message(bench: Bench) -> None:
    announce(bench)
    bench.workflows.deploy(WORKFLOW, ECHO, "training@p.iam")
    subscription = bench.triggers.create(TRIGGER)
    bench.notifications.finalized("data", "m/incoming/x.csv", 7, 1)
    bench.pubsub.pump()
    event = bench.results()[0]
    message = event["data"]["message"]
    assert message["attributes"]["objectId"] == "m/incoming/x.csv"
    assert set(message) == {"data", "attributes", "messageId", "publishTime"}
    assert event["data"]["subscription"] == subscription == "projects/p/subscriptions/eventarc-eu-datasets-sub"
    assert {key: event[key] for key in event if key != "data"} == {
        "specversion": "1.0",
        "id": message["messageId"],
        "source": f"//pubsub.googleapis.com/{TOPIC}",
        "type": "google.cloud.pubsub.topic.v1.messagePublished",
        "datacontenttype": "application/json",
        "time": "2023-11-14T22:13:20.250Z",
    }


def test_no_trigger_is_made_before_the_service_agent_of_eventarc_can_act(bench: Bench) -> None:
    bench.subscribes = False
    with pytest.raises(
        ValueError, match=r"triggers/datasets: Permission denied while using the Eventarc Service Agent"
    ):
        bench.triggers.create(TRIGGER)
    bench.subscribes = True
    bench.triggers.create(TRIGGER)


def test_an_execution_that_fails_is_not_started_again(bench: Bench) -> None:
    announce(bench)
    bench.workflows.deploy(WORKFLOW, "[{a: {raise: x}}]", "training@p.iam")
    bench.triggers.create(TRIGGER)
    bench.notifications.finalized("data", "x", 1, 1)
    bench.pubsub.pump()
    bench.results()
    bench.now += 3600
    bench.pubsub.pump()
    assert len(bench.workflows.executions(WORKFLOW)) == 1


@pytest.mark.parametrize("mended", ["grant", "workflow"])
def test_a_start_that_is_refused_is_tried_again_for_a_day(bench: Bench, mended: str) -> None:
    announce(bench)
    bench.triggers.create(TRIGGER)
    if mended == "grant":
        bench.workflows.deploy(WORKFLOW, ECHO, "training@p.iam")
        bench.starters.clear()
    bench.notifications.finalized("data", "x", 1, 1)
    for pause in (10, 20, 40, 80, 160, 320, 600):
        bench.pubsub.pump()
        due = bench.pubsub.pump()
        assert due is not None
        assert due - bench.now == pause
        bench.now = due
    assert len(bench.lines) == 7
    wanted = f"{STARTER} lacks workflows.executions.create on {WORKFLOW}" if mended == "grant" else "does not exist"
    assert all(wanted in line for line in bench.lines)
    bench.starters.add(STARTER)
    bench.workflows.deploy(WORKFLOW, ECHO, "training@p.iam")
    bench.pubsub.pump()
    assert len(bench.results()) == 1


def test_after_a_day_it_is_no_longer_tried(bench: Bench) -> None:
    announce(bench)
    subscription = bench.triggers.create(TRIGGER)
    bench.notifications.finalized("data", "x", 1, 1)
    bench.pubsub.pump()
    bench.now += 24 * 3600
    assert bench.pubsub.waiting(subscription) == 0


def test_a_deleted_trigger_starts_no_more(bench: Bench) -> None:
    announce(bench)
    bench.workflows.deploy(WORKFLOW, ECHO, "training@p.iam")
    bench.triggers.create(TRIGGER)
    bench.triggers.delete(TRIGGER.name)
    bench.triggers.delete(TRIGGER.name)
    bench.notifications.finalized("data", "x", 1, 1)
    bench.pubsub.pump()
    assert bench.workflows.executions(WORKFLOW) == []
    with pytest.raises(NotFound, match="eventarc-eu-datasets-sub"):
        bench.pubsub.waiting("projects/p/subscriptions/eventarc-eu-datasets-sub")


def test_permissions_are_named_as_the_cloud_names_them() -> None:
    assert (PUBLISH, CONSUME) == ("pubsub.topics.publish", "pubsub.subscriptions.consume")
