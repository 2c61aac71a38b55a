"""Notifications of new objects."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from infra.gcp.access import allow_publishing
from infra.gcp.place import region
from infra.gcp.queue import Queue
from infra.gcp.storage import Store
from infra.gcp.workflow import Workflow
from infra.vocabulary import ArrivalArgs

KEPT_SECONDS = 14 * 24 * 3600
"""How long the topic of a workflow keeps what was announced."""


class Arrival(pulumi.ComponentResource):
    """Every new object under some prefixes, announced to a topic, at least once.

    ```
    bucket -- one notification a prefix --> topic of the queue
    bucket -- one notification a prefix --> own topic --> Eventarc --> workflow
    ```
    Cloud Storage itself filters by prefix, so no object under another one can start anything.
    A workflow is started with the event, and takes the key from it: see dialect.py. Eventarc
    tries for 24 hours; for longer, what was announced stays in the topic and can be replayed.
    """

    def __init__(self, name: str, args: ArrivalArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:gcp:Arrival", name, None, opts)
        store, target = _ends(name, args)
        topic = target.ref if isinstance(target, Queue) else self._start(name, target)
        # Asked once there is a bucket, and so Cloud Storage is on.
        asked = pulumi.InvokeOutputOptions(parent=self, depends_on=[store])
        agent = gcp.storage.get_project_service_account_output(opts=asked)
        allowed = allow_publishing(f"{name}-publisher", topic, agent.member, pulumi.ResourceOptions(parent=self))
        for prefix in args.prefixes:
            gcp.storage.Notification(
                f"{name}-{prefix.strip('/').replace('/', '-') or 'all'}",
                bucket=store.name,
                object_name_prefix=prefix or None,
                event_types=["OBJECT_FINALIZE"],
                payload_format="JSON_API_V1",
                topic=topic,
                # Cloud Storage tries the topic when the notification is made.
                opts=pulumi.ResourceOptions(parent=self, depends_on=[allowed]),
            )
        self.register_outputs({})

    def _start(self, name: str, workflow: Workflow) -> pulumi.Output[str]:
        """A topic whose messages start the workflow."""
        topic = gcp.pubsub.Topic(
            f"{name}-topic",
            message_retention_duration=f"{KEPT_SECONDS}s",
            opts=pulumi.ResourceOptions(parent=self),
        )
        gcp.eventarc.Trigger(
            f"{name}-trigger",
            location=region(),
            matching_criterias=[{"attribute": "type", "value": "google.cloud.pubsub.topic.v1.messagePublished"}],
            transport={"pubsub": {"topic": topic.id}},
            destination={"workflow": workflow.ref},
            service_account=workflow.starter.email,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[workflow.startable]),
        )
        return topic.id


def _ends(name: str, args: ArrivalArgs) -> tuple[Store, Queue | Workflow]:
    if not isinstance(args.store, Store) or not args.store.announces:
        raise TypeError(f"arrival {name}: its store does not announce new objects; make it with announces=True")
    if not isinstance(args.target, (Queue, Workflow)):
        raise TypeError(f"arrival {name}: {type(args.target).__name__} is neither a queue nor a workflow of this cloud")
    return args.store, args.target
