"""Notifications of new objects."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from infra.gcp.access import allow_publishing
from infra.gcp.project import region
from infra.gcp.queue import Queue
from infra.gcp.storage import Store
from infra.gcp.transform import announced
from infra.gcp.workflow import Workflow
from infra.keep import Keep, kept
from infra.keys import Keys
from infra.vocabulary import ArrivalArgs

KEPT_SECONDS = 14 * 24 * 3600
"""How long the topic of a workflow keeps its messages."""


class Arrival(pulumi.ComponentResource):
    """A notification of every new object, of which the topic keeps those of some models and prefixes, at least once.

    ```
    bucket -- notification --> topic of the queue, with its transform
    bucket -- notification --> own topic, with its transform --> Eventarc --> workflow
    ```
    The transform compares keys: no object below another prefix can start anything. See transform.py.
    A workflow is started with the event, and reads the key from it: see dialect.py. Eventarc
    tries for 24 hours; messages stay in the topic for longer, and can be replayed.

    Cloud Storage tries the topic when a notification is made, once, and a grant takes minutes to be
    valid everywhere. So the grant is made as early as it can be, and the notifications last: after
    what hears of them, which waits for the builds of functions.
    """

    def __init__(self, name: str, args: ArrivalArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:gcp:Arrival", name, None, opts)
        store, target = _ends(name, args)
        if isinstance(target, Queue):
            topic, heard = target.ref, target.delivery
        else:
            topic, heard = self._start(name, target, args.keys, args.keep)
        # Looked up once there is a bucket: Cloud Storage is enabled by then.
        after_store = pulumi.InvokeOutputOptions(parent=self, depends_on=[store])
        agent = gcp.storage.get_project_service_account_output(opts=after_store)
        allowed = allow_publishing(f"{name}-publisher", topic, agent.member, pulumi.ResourceOptions(parent=self))
        gcp.storage.Notification(
            f"{name}-notification",
            bucket=store.name,
            event_types=["OBJECT_FINALIZE"],
            payload_format="JSON_API_V1",
            topic=topic,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[allowed, *heard]),
        )
        self.register_outputs({})

    def _start(
        self, name: str, workflow: Workflow, keys: Keys, keep: Keep
    ) -> tuple[pulumi.Output[str], tuple[pulumi.Resource, ...]]:
        """Declare a topic whose messages start the workflow; return its id, and what starts the workflow."""
        topic = gcp.pubsub.Topic(
            f"{name}-topic",
            message_retention_duration=f"{KEPT_SECONDS}s",
            message_transforms=[announced(keys)],
            opts=kept(pulumi.ResourceOptions(parent=self), keep),
        )
        trigger = gcp.eventarc.Trigger(
            f"{name}-trigger",
            location=region(),
            matching_criterias=[{"attribute": "type", "value": "google.cloud.pubsub.topic.v1.messagePublished"}],
            transport={"pubsub": {"topic": topic.id}},
            destination={"workflow": workflow.ref},
            service_account=workflow.starter.email,
            # It has the subscription that keeps the messages.
            opts=kept(pulumi.ResourceOptions(parent=self, depends_on=[workflow.startable]), keep),
        )
        return topic.id, (trigger,)


def _ends(name: str, args: ArrivalArgs) -> tuple[Store, Queue | Workflow]:
    """Return the store and the target.

    Raise `TypeError` for a store that announces nothing, and for a target of another cloud, and `ValueError` for a
    queue that would drop what is announced, or let other objects pass.
    """
    if not isinstance(args.store, Store) or not args.store.announces:
        raise TypeError(f"arrival {name}: its store does not announce new objects; make it with announces=True")
    if not isinstance(args.target, (Queue, Workflow)):
        raise TypeError(f"arrival {name}: {type(args.target).__name__} is neither a queue nor a workflow of this cloud")
    if isinstance(args.target, Queue) and args.target.keys != args.keys:
        raise ValueError(f"arrival {name}: its queue was made with other keys, or with none")
    return args.store, args.target
