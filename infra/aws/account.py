"""The account that a stack is deployed into, and ARNs in it."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws


def account_id(parent: pulumi.Resource) -> pulumi.Output[str]:
    """Return the id of the account that the provider deploys into."""
    return aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=parent)).account_id


def arn_like(arn: str, service: str, resource: str) -> str:
    """Return the ARN of a service's resource in the partition, region and account of `arn`."""
    _arn, partition, _service, region, account, _resource = arn.split(":", 5)
    return f"arn:{partition}:{service}:{region}:{account}:{resource}"
