"""CloudWatch log groups: nothing is kept for ever."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from infra.keep import Keep, kept


def log_group(
    name: str, days: int, keep: Keep, parent: pulumi.Resource, *, delivered_for: str | None = None
) -> aws.cloudwatch.LogGroup:
    """Make a group whose lines are deleted after `days`.

    `delivered_for` names a service that writes through log delivery. Its groups share one prefix, else
    each adds itself to a resource policy of at most 5,120 characters:
    https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
    """
    return aws.cloudwatch.LogGroup(
        f"{name}-logs",
        name_prefix=None if delivered_for is None else f"/aws/vendedlogs/{delivered_for}/{name}-",
        retention_in_days=days,
        opts=kept(pulumi.ResourceOptions(parent=parent), keep),
    )
