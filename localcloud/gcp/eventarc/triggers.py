"""Eventarc: a message of a topic starts a workflow.

https://cloud.google.com/eventarc/docs/workflows/route-trigger-cloud-pubsub. A trigger has a
subscription of its own, which keeps a message for 24 hours and retries with exponential
backoff until the workflow has started. An execution that fails later is not started again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.gcp.iam.bindings import SUBSCRIBE
from localcloud.gcp.pubsub.pubsub import AgentMay, NotFound, PubSub
from localcloud.gcp.pubsub.subscription import Push, Retry, SubscriptionArgs
from localcloud.gcp.workflows import Workflows

TYPE = "google.cloud.pubsub.topic.v1.messagePublished"
RETRY = Retry(minimum=10, maximum=600)
RETENTION_SECONDS = 24 * 3600
"""https://cloud.google.com/eventarc/docs/retry-events"""
INVOKE = "workflows.executions.create"
NOT_READY = (
    "Permission denied while using the Eventarc Service Agent. If you recently started to use Eventarc, it may take a"
    " few minutes before all necessary permissions are propagated to the Service Agent. Otherwise, verify that it has"
    " Eventarc Service Agent role."
)
"""The words of Eventarc: https://cloud.google.com/eventarc/docs/troubleshooting"""
MayInvoke = Callable[[str, str], bool]
"""Takes a service account's email address and a workflow; returns whether it may start it."""


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """Starts a workflow for each message of a topic, as a service account.

    `name` is its full name, `projects/p/locations/l/triggers/t`.
    """

    name: str
    topic: str
    workflow: str
    service_account: str


class Triggers:
    """Every trigger of a project."""

    def __init__(
        self,
        pubsub: PubSub,
        workflows: Workflows,
        *,
        may_invoke: MayInvoke,
        agent_may: AgentMay,
        log: Callable[[str], None],
    ) -> None:
        self._pubsub, self._workflows, self._log = pubsub, workflows, log
        self._may_invoke, self._agent_may = may_invoke, agent_may
        self._all: dict[str, Trigger] = {}

    def create(self, trigger: Trigger) -> str:
        """Create a trigger and return the name of its subscription.

        Raises `ValueError` where Eventarc's service agent may not subscribe to the topic, and `NotFound`
        for an unknown topic.
        """
        if not self._agent_may(SUBSCRIBE, trigger.topic):
            raise ValueError(f"{trigger.name}: {NOT_READY}")
        self._pubsub.create_subscription(
            SubscriptionArgs(
                name=subscription_of(trigger),
                topic=trigger.topic,
                push=Push(endpoint=trigger.name, receive=lambda body: self._start(trigger, body)),
                retry=RETRY,
                retention_seconds=RETENTION_SECONDS,
            )
        )
        self._all[trigger.name] = trigger
        return subscription_of(trigger)

    def has(self, name: str) -> bool:
        """Return whether a trigger exists."""
        return name in self._all

    def delete(self, name: str) -> None:
        """Delete a trigger, with the messages that it has not delivered. An unknown one is ignored."""
        if trigger := self._all.pop(name, None):
            self._pubsub.delete_subscription(subscription_of(trigger))

    def _start(self, trigger: Trigger, body: bytes) -> int:
        """Start the workflow and return 200; any other status makes Pub/Sub deliver the message again."""
        account, workflow = trigger.service_account, trigger.workflow
        if not self._may_invoke(account, workflow):
            self._log(f"{trigger.name}: {account} lacks {INVOKE} on {workflow}")
            return 403
        try:
            execution = self._workflows.start(workflow, event(trigger, json.loads(body)))
        except (NotFound, ValueError) as problem:
            self._log(f"{trigger.name}: {workflow} was not started: {problem}")
            return 404 if isinstance(problem, NotFound) else 400
        self._log(f"{trigger.name}: started {execution.id}")
        return 200


def subscription_of(trigger: Trigger) -> str:
    """Return the name that Eventarc gives the subscription of a trigger."""
    _, project, _, location, _, name = trigger.name.split("/")
    return f"projects/{project}/subscriptions/eventarc-{location}-{name}-sub"


def event(trigger: Trigger, envelope: Mapping[str, Any]) -> dict[str, Any]:
    """Return the CloudEvent for the body of a push request: the argument of the workflow."""
    message = {key: value for key, value in envelope["message"].items() if key not in ("message_id", "publish_time")}
    return {
        "specversion": "1.0",
        "id": message["messageId"],
        "source": f"//pubsub.googleapis.com/{trigger.topic}",
        "type": TYPE,
        "datacontenttype": "application/json",
        "time": message["publishTime"],
        "data": {"message": message, "subscription": envelope["subscription"]},
    }
