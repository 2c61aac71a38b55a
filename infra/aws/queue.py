"""SQS queues with dead letters."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from infra.aws.access import Statement, document, tls_only
from infra.aws.account import arn_like
from infra.keep import kept
from infra.vocabulary import QueueArgs

DEAD_LETTER_SECONDS = 14 * 24 * 3600
"""The longest that SQS keeps a message."""
WAITING_SECONDS = 4 * 24 * 3600
"""How long a message waits for its consumer."""
LONGEST_SECONDS = 14 * 24 * 3600
"""How long it waits where the consumer may be stopped for weeks: the longest that SQS keeps it."""
VISIBILITY_TIMEOUTS = 6
"""https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html: "at least six times the timeout"."""
WINDOW_SECONDS = 1
"""How long a consumer of large batches may wait for one to fill: see function.py."""


class Queue(pulumi.ComponentResource):
    """An encrypted queue, and another one where messages end that failed every attempt.

    It takes messages over TLS alone: from identities that have a grant, and from the one event rule
    that has its name (`rule_name`), which `Arrival` makes, or the one topic (`topic_name`), which `Budget` makes.
    """

    ref: pulumi.Output[str]
    url: pulumi.Output[str]
    dead_letters: pulumi.Output[str]

    def __init__(self, name: str, args: QueueArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:aws:Queue", name, None, opts)
        child_opts = kept(pulumi.ResourceOptions(parent=self), args.keep)
        failed = dead_letters(name, (), child_opts)
        queue = aws.sqs.Queue(
            f"{name}-queue",
            sqs_managed_sse_enabled=True,
            visibility_timeout_seconds=VISIBILITY_TIMEOUTS * args.consumer_timeout_seconds + WINDOW_SECONDS,
            message_retention_seconds=LONGEST_SECONDS if args.patient else WAITING_SECONDS,
            redrive_policy=pulumi.Output.json_dumps(
                {"deadLetterTargetArn": failed.arn, "maxReceiveCount": args.attempts}
            ),
            opts=child_opts,
        )
        aws.sqs.RedriveAllowPolicy(
            f"{name}-redrive-allow",
            queue_url=failed.url,
            redrive_allow_policy=pulumi.Output.json_dumps(
                {"redrivePermission": "byQueue", "sourceQueueArns": [queue.arn]}
            ),
            opts=child_opts,
        )
        sender = _by_topic(queue.arn) if args.budgeted else delivery(queue.arn, rule_arn(queue.arn))
        _guard(f"{name}-queue-policy", queue, (sender,), child_opts)
        self.waiting, self.failed = queue, failed
        self.ref = queue.arn
        self.url = queue.url
        self.dead_letters = failed.url
        self.register_outputs({"ref": self.ref, "url": self.url, "dead_letters": self.dead_letters})


def dead_letters(name: str, rules: tuple[pulumi.Output[str], ...], opts: pulumi.ResourceOptions) -> aws.sqs.Queue:
    """Make a queue for what could not be delivered, kept as long as SQS can.

    Event rules of these ARNs may send to it.
    """
    queue = aws.sqs.Queue(
        f"{name}-dead-letters",
        sqs_managed_sse_enabled=True,
        message_retention_seconds=DEAD_LETTER_SECONDS,
        opts=opts,
    )
    allowed = tuple(delivery(queue.arn, rule) for rule in rules)
    _guard(f"{name}-dead-letters-policy", queue, allowed, opts)
    return queue


def rule_name(queue: pulumi.Output[str]) -> pulumi.Output[str]:
    """Return the name of the event rule that may send to the queue of this ARN."""
    return queue.apply(_rule)


def rule_arn(queue: pulumi.Output[str]) -> pulumi.Output[str]:
    """Return the ARN of the event rule that may send to the queue of this ARN."""
    return queue.apply(lambda arn: arn_like(arn, "events", f"rule/{_rule(arn)}"))


def _rule(queue: str) -> str:
    return f"{queue.rpartition(':')[2]}-arrivals"


def topic_name(queue: pulumi.Output[str]) -> pulumi.Output[str]:
    """Return the name of the topic that may send to the queue of this ARN."""
    return queue.apply(_topic)


def _topic(queue: str) -> str:
    return f"{queue.rpartition(':')[2]}-spent"


def _by_topic(queue: pulumi.Output[str]) -> Statement:
    """Return the statement that lets the topic of its name send to a queue, for this account."""
    topic = queue.apply(lambda arn: arn_like(arn, "sns", _topic(arn)))
    return {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }


def delivery(queue: pulumi.Input[str], rule: pulumi.Input[str]) -> Statement:
    """Return the statement that lets one event rule send to a queue.

    It belongs into the policy of the queue, since for SQS EventBridge assumes no role:
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    """
    return {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }


def _guard(name: str, queue: aws.sqs.Queue, allowed: tuple[Statement, ...], opts: pulumi.ResourceOptions) -> None:
    aws.sqs.QueuePolicy(
        name,
        queue_url=queue.url,
        policy=document([*allowed, tls_only("sqs:*", queue.arn)]),
        opts=opts,
    )
