"""SQS queues with dead letters."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from infra.aws.access import Statement, document, tls_only
from infra.aws.place import beside
from infra.vocabulary import QueueArgs

DEAD_LETTER_SECONDS = 14 * 24 * 3600
"""The longest that SQS keeps a message."""
WAITING_SECONDS = 4 * 24 * 3600
HIDDEN_TIMES = 6
"""https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html: "at least six times the timeout"."""
WINDOW_SECONDS = 1
"""How long a consumer of large batches may wait for one to fill: see function.py."""


class Queue(pulumi.ComponentResource):
    """A queue, encrypted, and another one where messages end that failed every attempt.

    It takes messages over TLS alone: from identities that were granted it, and from the one
    event rule that bears its name (`rule_name`), which `Arrival` makes.
    """

    ref: pulumi.Output[str]
    url: pulumi.Output[str]
    dead_letters: pulumi.Output[str]

    def __init__(self, name: str, args: QueueArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:aws:Queue", name, None, opts)
        mine = pulumi.ResourceOptions(parent=self)
        dead = dead_letters(name, (), self)
        queue = aws.sqs.Queue(
            f"{name}-queue",
            sqs_managed_sse_enabled=True,
            visibility_timeout_seconds=HIDDEN_TIMES * args.consumer_timeout_seconds + WINDOW_SECONDS,
            message_retention_seconds=WAITING_SECONDS,
            redrive_policy=pulumi.Output.json_dumps(
                {"deadLetterTargetArn": dead.arn, "maxReceiveCount": args.attempts}
            ),
            opts=mine,
        )
        aws.sqs.RedriveAllowPolicy(
            f"{name}-redrive-allow",
            queue_url=dead.url,
            redrive_allow_policy=pulumi.Output.json_dumps(
                {"redrivePermission": "byQueue", "sourceQueueArns": [queue.arn]}
            ),
            opts=mine,
        )
        _guard(f"{name}-queue-policy", queue, (delivery(queue.arn, rule_arn(queue.arn)),), self)
        self.ref = queue.arn
        self.url = queue.url
        self.dead_letters = dead.url
        self.register_outputs({"ref": self.ref, "url": self.url, "dead_letters": self.dead_letters})


def dead_letters(name: str, rules: tuple[pulumi.Output[str], ...], parent: pulumi.Resource) -> aws.sqs.Queue:
    """A queue for what could not be delivered, kept as long as SQS can; the event rules named may send to it."""
    queue = aws.sqs.Queue(
        f"{name}-dead-letters",
        sqs_managed_sse_enabled=True,
        message_retention_seconds=DEAD_LETTER_SECONDS,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    allowed = tuple(delivery(queue.arn, rule) for rule in rules)
    _guard(f"{name}-dead-letters-policy", queue, allowed, parent)
    return queue


def rule_name(queue: pulumi.Output[str]) -> pulumi.Output[str]:
    """The event rule that may send to the queue of this ARN."""
    return queue.apply(_rule)


def rule_arn(queue: pulumi.Output[str]) -> pulumi.Output[str]:
    return queue.apply(lambda arn: beside(arn, "events", f"rule/{_rule(arn)}"))


def _rule(queue: str) -> str:
    return f"{queue.rpartition(':')[2]}-arrivals"


def delivery(queue: pulumi.Input[str], rule: pulumi.Input[str]) -> Statement:
    """Let one event rule send.

    A policy of the queue, since for SQS EventBridge wants no role:
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    """
    return {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }


def _guard(name: str, queue: aws.sqs.Queue, allowed: tuple[Statement, ...], parent: pulumi.Resource) -> None:
    aws.sqs.QueuePolicy(
        name,
        queue_url=queue.url,
        policy=document([*allowed, tls_only("sqs:*", queue.arn)]),
        opts=pulumi.ResourceOptions(parent=parent),
    )
