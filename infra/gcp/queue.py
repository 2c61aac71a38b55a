"""Pub/Sub topics with dead letters."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from infra.gcp.access import SUBSCRIBER, allow_publishing
from infra.gcp.transform import announced
from infra.keep import guarding, kept
from infra.vocabulary import QueueArgs

ATTEMPTS = range(5, 101)
"""https://cloud.google.com/pubsub/docs/handling-failures: "between 5 and 100"."""
ACK_SECONDS = range(10, 601)
"""https://cloud.google.com/pubsub/docs/lease-management: an acknowledgement deadline is 10 to 600 seconds."""
PAUSE_DIVISOR = 12
"""The consumer's timeout divided by this is the first pause before a redelivery; each next one is twice as long."""
LONGEST_PAUSE_SECONDS = 600
WAITING_SECONDS = 7 * 24 * 3600
"""How long a message waits for its consumer."""
LONGEST_SECONDS = 31 * 24 * 3600
"""How long it waits where the consumer may be stopped for weeks: the longest that Pub/Sub keeps it."""
DEAD_LETTER_SECONDS = 14 * 24 * 3600


class Queue(pulumi.ComponentResource):
    """A topic, and another one where messages end that failed every attempt.

    ```
    topic -> subscription of the consumer --(attempts used up)--> dead-letters topic -> dead-letters subscription
    ```
    A subscription, not a topic, keeps messages; the consumer's is made with the consumer: see
    `deliver`. A message that is published before is lost. Each is pushed alone, hidden for as
    long as the consumer may take, and delivered again after growing pauses.
    Where an arrival announces new objects to it, the topic drops what is said of others: see transform.py.
    `url` is the topic's REST address (`:publish` appended publishes); `dead_letters` the
    subscription from which dead letters are pulled, kept for 14 days even if nobody pulls.
    """

    ref: pulumi.Output[str]
    url: pulumi.Output[str]
    dead_letters: pulumi.Output[str]

    def __init__(self, name: str, args: QueueArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:gcp:Queue", name, None, opts)
        _check(name, args)
        child_opts = kept(pulumi.ResourceOptions(parent=self), args.keep)
        self._name, self._args = name, args
        self.delivery: tuple[pulumi.Resource, ...] = ()
        """What keeps the messages for the consumer, once `deliver` was called."""
        self.waiting: pulumi.Output[str] | None = None
        """The id of the same."""
        self.courier: gcp.serviceaccount.Account | None = None
        """Who pushes it."""
        self.keys = args.keys
        """Of the objects that may be announced."""
        transforms = [announced(args.keys)] if args.keys else None
        self._topic = gcp.pubsub.Topic(f"{name}-topic", message_transforms=transforms, opts=child_opts)
        self._failed = gcp.pubsub.Topic(f"{name}-dead-letters", opts=child_opts)
        subscription = gcp.pubsub.Subscription(
            f"{name}-dead-letters-kept",
            topic=self._failed.id,
            message_retention_duration=f"{DEAD_LETTER_SECONDS}s",
            expiration_policy={"ttl": ""},
            opts=child_opts,
        )
        self._agent = gcp.projects.ServiceIdentity(f"{name}-agent", service="pubsub.googleapis.com", opts=child_opts)
        allow_publishing(f"{name}-dead-letters-publisher", self._failed.id, self._agent.member, child_opts)
        self.ref = self._topic.id
        self.url = pulumi.Output.concat("https://pubsub.googleapis.com/v1/", self._topic.id)
        self.dead_letters = subscription.id
        self.register_outputs({"ref": self.ref, "url": self.url, "dead_letters": self.dead_letters})

    def deliver(
        self,
        endpoint: pulumi.Output[str],
        identity: gcp.serviceaccount.Account,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Push every message to `endpoint`, as `identity`, until the answer is a 2xx or the message a dead letter."""
        subscription = gcp.pubsub.Subscription(
            f"{self._name}-subscription",
            topic=self._topic.id,
            ack_deadline_seconds=max(self._args.consumer_timeout_seconds, ACK_SECONDS.start),
            message_retention_duration=f"{LONGEST_SECONDS if self._args.patient else WAITING_SECONDS}s",
            expiration_policy={"ttl": ""},
            retry_policy={"minimum_backoff": f"{self._pause()}s", "maximum_backoff": f"{LONGEST_PAUSE_SECONDS}s"},
            dead_letter_policy={"dead_letter_topic": self._failed.id, "max_delivery_attempts": self._args.attempts},
            push_config={
                "push_endpoint": endpoint,
                "oidc_token": {"service_account_email": identity.email, "audience": endpoint},
            },
            opts=kept(opts, self._args.keep),
        )
        self.delivery, self.waiting, self.courier = (subscription,), subscription.id, identity
        gcp.pubsub.SubscriptionIAMMember(
            f"{self._name}-subscription-subscriber",
            subscription=subscription.id,
            role=SUBSCRIBER,
            member=self._agent.member,
            opts=guarding(opts, self._args.keep),
        )

    def _pause(self) -> int:
        return max(1, self._args.consumer_timeout_seconds // PAUSE_DIVISOR)


def _check(name: str, args: QueueArgs) -> None:
    """Raise `ValueError` for what Pub/Sub does not accept: infra/limits.py refuses it in settings."""
    for argument, value, accepted in (
        ("attempts", args.attempts, ATTEMPTS),
        ("consumer_timeout_seconds", args.consumer_timeout_seconds, range(1, ACK_SECONDS.stop)),
    ):
        if value not in accepted:
            raise ValueError(
                f"queue {name}: {argument} is not among {accepted.start} to {accepted.stop - 1}, which Pub/Sub accepts"
            )
