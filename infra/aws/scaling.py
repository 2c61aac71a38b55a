"""Profiles on Lambda.

    eco       a copy starts when it is asked for
    balanced  it starts from a snapshot that is taken of every published version once its models are open (SnapStart)
    latency   provisioned concurrency on the alias: the minimum, and more as it is used

We set no weights on the alias: one that has any "can not be used with Provisioned Concurrency"
(https://github.com/hashicorp/terraform/issues/24957). AWS itself sets some for the minutes in
which it moves provisioned copies to a new version. A call for another number of copies would
fail then, so the program makes none: it states the number once, when the alias is made, and from
then on the autoscaler alone changes it.
"""

from __future__ import annotations

import re

import pulumi
import pulumi_aws as aws

from infra.aws.cron import expression
from infra.scaling import Balanced, Latency, Profile

TARGET = 0.7
"""The share of ready copies that should be at work; above 0.6 they cost less than other copies: docs/scaling.md."""
MAXIMUM_FACTOR = 4
"""The most copies that are kept ready, as a multiple of the minimum. Without requests nothing is measured, and what was
added stays: https://github.com/neiman-marcus/serverless-provisioned-concurrency-autoscaling/issues/36"""
DIMENSION = "lambda:function:ProvisionedConcurrency"
_WORDS = {" ": "_", "*": "any", ",": "and", "/": "every"}


def snapshots(profile: Profile) -> aws.lambda_.FunctionSnapStartArgsDict | None:
    """Return the setting that makes published versions snapshots; None for a profile without them."""
    return {"apply_on": "PublishedVersions"} if isinstance(profile, Balanced) else None


def keep_ready(
    name: str, profile: Latency, alias: aws.lambda_.Alias, concurrency: int, parent: pulumi.Resource
) -> None:
    """Keep copies of the alias's version ready: from `minimum` to so many that `TARGET` of them are at work."""
    provisioned = aws.lambda_.ProvisionedConcurrencyConfig(
        f"{name}-provisioned",
        function_name=alias.function_name,
        qualifier=alias.name,
        provisioned_concurrent_executions=profile.minimum,
        opts=pulumi.ResourceOptions(parent=parent, ignore_changes=["provisionedConcurrentExecutions"]),
    )
    # A changed minimum takes effect by the target, which brings the number of copies into its range at once:
    # https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
    target = aws.appautoscaling.Target(
        f"{name}-ready",
        service_namespace="lambda",
        scalable_dimension=DIMENSION,
        resource_id=pulumi.Output.concat("function:", alias.function_name, ":", alias.name),
        min_capacity=profile.minimum,
        max_capacity=_maximum(profile.minimum, concurrency),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[provisioned]),
    )
    aws.appautoscaling.Policy(
        f"{name}-ready-by-use",
        policy_type="TargetTrackingScaling",
        service_namespace=target.service_namespace,
        scalable_dimension=target.scalable_dimension,
        resource_id=target.resource_id,
        target_tracking_scaling_policy_configuration={
            "target_value": TARGET,
            "predefined_metric_specification": {"predefined_metric_type": "LambdaProvisionedConcurrencyUtilization"},
        },
        opts=pulumi.ResourceOptions(parent=parent),
    )
    for label, (cron, minimum, before) in _changes(profile).items():
        aws.appautoscaling.ScheduledAction(
            f"{name}-ready-{label}",
            service_namespace=target.service_namespace,
            scalable_dimension=target.scalable_dimension,
            resource_id=target.resource_id,
            schedule=expression(cron),
            timezone="UTC",
            scalable_target_action={"min_capacity": minimum, "max_capacity": _maximum(minimum, concurrency)},
            opts=pulumi.ResourceOptions(parent=parent, aliases=[pulumi.Alias(name=f"{name}-ready-{before}")]),
        )


def _changes(profile: Latency) -> dict[str, tuple[str, int, str]]:
    """Return, by what each schedule is called, when it is due, the minimum from then on, and its former name.

    It is called after when it is due: the order in which hours are stated makes no difference.
    """
    changes: dict[str, tuple[str, int, str]] = {}
    for number, hours in enumerate(profile.hours):
        changes[f"opens-{_named(hours.opens)}"] = hours.opens, hours.minimum, f"opens-{number}"
        changes.setdefault(f"closes-{_named(hours.closes)}", (hours.closes, profile.minimum, f"closes-{number}"))
    return changes


def _named(cron: str) -> str:
    """Return a cron as a part of a name: `0_8_any_any_1-5`. No two give the same."""
    return re.sub(r"[ *,/]", lambda mark: _WORDS[mark[0]], " ".join(cron.split()))


def _maximum(minimum: int, concurrency: int) -> int:
    return min(MAXIMUM_FACTOR * minimum, concurrency)
