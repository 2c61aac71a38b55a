"""The account that a stack is deployed into, and ARNs in it."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws


def account_id(parent: pulumi.Resource) -> pulumi.Output[str]:
    """Return the id of the account that the provider deploys into."""
    return aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=parent)).account_id


def partition(arn: str) -> str:
    """Return the partition of an ARN: that of most regions, of China, of GovCloud or of isolated regions."""
    return arn.split(":", 2)[1]


def arn_like(arn: str, service: str, resource: str) -> str:
    """Return the ARN of a service's resource in the partition, region and account of `arn`."""
    _arn, of_partition, _service, region, account, _resource = arn.split(":", 5)
    return f"arn:{of_partition}:{service}:{region}:{account}:{resource}"
