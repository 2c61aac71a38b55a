"""EventBridge rules for new objects."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from infra.aws.access import allow, role
from infra.aws.queue import Queue, dead_letters, rule_name
from infra.aws.storage import Store
from infra.aws.workflow import Workflow
from infra.keep import kept
from infra.keys import below, of_any_model
from infra.vocabulary import ArrivalArgs

RETRY: aws.cloudwatch.EventTargetRetryPolicyArgsDict = {
    "maximum_event_age_in_seconds": 24 * 3600,
    "maximum_retry_attempts": 185,
}
"""As long and as often as EventBridge can retry."""


class Arrival(pulumi.ComponentResource):
    """A rule that passes on every new object below some prefixes of any model, at least once.

    Its pattern names no model: EventBridge accepts 2,048 characters of one, which are soon full of names.

    A workflow is started with `{"source": "<key>"}`; a queue gets the event as it is. A queue has at
    most one arrival. What cannot be delivered is kept as a dead letter.
    """

    def __init__(self, name: str, args: ArrivalArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:aws:Arrival", name, None, opts)
        target = _target(name, args)
        rule = aws.cloudwatch.EventRule(
            f"{name}-rule",
            name=rule_name(target.ref) if isinstance(target, Queue) else None,
            event_pattern=_pattern(args),
            opts=pulumi.ResourceOptions(parent=self),
        )
        undelivered = dead_letters(name, (rule.arn,), kept(pulumi.ResourceOptions(parent=self), args.keep))
        if isinstance(target, Queue):
            self._send(name, target, rule, undelivered)
        else:
            self._start(name, target, rule, undelivered)
        self.failed = undelivered
        self.register_outputs({})

    def _start(self, name: str, workflow: Workflow, rule: aws.cloudwatch.EventRule, undelivered: aws.sqs.Queue) -> None:
        identity, policy = role(name, "events.amazonaws.com", [allow(["states:StartExecution"], [workflow.ref])], self)
        aws.cloudwatch.EventTarget(
            f"{name}-target",
            rule=rule.name,
            arn=workflow.ref,
            role_arn=identity.arn,
            input_transformer={"input_paths": {"key": "$.detail.object.key"}, "input_template": '{"source": <key>}'},
            retry_policy=RETRY,
            dead_letter_config={"arn": undelivered.arn},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )

    def _send(self, name: str, queue: Queue, rule: aws.cloudwatch.EventRule, undelivered: aws.sqs.Queue) -> None:
        aws.cloudwatch.EventTarget(
            f"{name}-target",
            rule=rule.name,
            arn=queue.ref,
            retry_policy=RETRY,
            dead_letter_config={"arn": undelivered.arn},
            opts=pulumi.ResourceOptions(parent=self),
        )


def _pattern(args: ArrivalArgs) -> pulumi.Output[str]:
    def pattern(bucket: str) -> str:
        keys = [{"wildcard": f"{prefix}*"} for prefix in below(of_any_model(args.keys))]
        detail = {"bucket": {"name": [bucket]}, "object": {"key": keys}}
        return json.dumps({"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail})

    return args.store.name.apply(pattern)


def _target(name: str, args: ArrivalArgs) -> Queue | Workflow:
    if not isinstance(args.store, Store) or not args.store.announces:
        raise TypeError(f"arrival {name}: its store does not announce new objects; make it with announces=True")
    if not isinstance(args.target, (Queue, Workflow)):
        raise TypeError(f"arrival {name}: {type(args.target).__name__} is neither a queue nor a workflow of this cloud")
    return args.target
