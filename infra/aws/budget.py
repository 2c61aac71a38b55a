"""AWS Budgets: what is billed for whatever has the tag of the stack, and the topics that hear of it."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from infra.aws.access import Statement, document, tls_only
from infra.aws.account import account_id, partition
from infra.aws.queue import Queue, topic_name
from infra.vocabulary import BudgetArgs

TAG = "user:stack${}"
"""How a budget names the tag `stack` of infra/labels.py: https://docs.aws.amazon.com/cost-management/latest/userguide/ce-filtering.html."""


class Budget(pulumi.ComponentResource):
    """A budget of a month, whose notifications mail the addresses themselves.

    A notification has one topic at most, so the webhook hears of the shares to be warned at by one topic, and of the
    one to stop at by another, which fills the queue of the function that stops the stack. Only AWS Budgets may send to
    either, for this account. Neither is encrypted by a key, as that of the alarms is not: monitor.py says why.
    https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html
    """

    def __init__(self, name: str, args: BudgetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:aws:Budget", name, None, opts)
        self._name, self._args = name, args
        self._opts = pulumi.ResourceOptions(parent=self)
        warned = [self._topic("warned", None)] if args.webhook and args.warn_at else []
        told = [_notification(share, args.email, warned) for share in args.warn_at if args.email or warned]
        if args.stop_at is not None:
            told.append(_notification(args.stop_at, args.email, [self._spent()]))
        aws.budgets.Budget(
            f"{name}-month",
            budget_type="COST",
            limit_amount=str(args.usd_a_month),
            limit_unit="USD",
            time_unit="MONTHLY",
            cost_filters=[{"name": "TagKeyValue", "values": [TAG.format(pulumi.get_stack())]}],
            # AWS refuses one that nobody hears of.
            notifications=told,
            opts=self._opts,
        )
        self.register_outputs({})

    def _spent(self) -> pulumi.Output[str]:
        """Make the topic of the queue that hears of the share to stop at, and return its ARN."""
        queue = self._args.demands
        if not isinstance(queue, Queue):
            raise TypeError(f"budget {self._name}: {type(queue).__name__} is not a queue of this cloud")
        arn = self._topic("spent", topic_name(queue.ref))
        aws.sns.TopicSubscription(
            f"{self._name}-demands", topic=arn, protocol="sqs", endpoint=queue.ref, opts=self._opts
        )
        return arn

    def _topic(self, what: str, named: pulumi.Output[str] | None) -> pulumi.Output[str]:
        topic = aws.sns.Topic(f"{self._name}-{what}", name=named, opts=self._opts)
        aws.sns.TopicPolicy(
            f"{self._name}-{what}-policy",
            arn=topic.arn,
            policy=document([_sending(topic.arn, account_id(self)), tls_only("sns:Publish", topic.arn)]),
            opts=self._opts,
        )
        if self._args.webhook:
            aws.sns.TopicSubscription(
                f"{self._name}-{what}-webhook",
                topic=topic.arn,
                protocol="https",
                endpoint=self._args.webhook,
                opts=self._opts,
            )
        return topic.arn


def _notification(
    share: float, email: Sequence[str], topics: Sequence[pulumi.Output[str]]
) -> aws.budgets.BudgetNotificationArgsDict:
    return {
        "comparison_operator": "GREATER_THAN",
        "notification_type": "ACTUAL",
        "threshold_type": "PERCENTAGE",
        "threshold": round(100 * share, 2),
        **({"subscriber_email_addresses": list(email)} if email else {}),
        **({"subscriber_sns_topic_arns": list(topics)} if topics else {}),
    }


def _sending(topic: pulumi.Output[str], account: pulumi.Output[str]) -> Statement:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "budgets.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account},
            "ArnLike": {
                "aws:SourceArn": pulumi.Output.all(topic, account).apply(
                    lambda of: f"arn:{partition(of[0])}:budgets::{of[1]}:*"
                )
            },
        },
    }
