"""Where a stack stands: an account, in a region."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws


def account(parent: pulumi.Resource) -> pulumi.Output[str]:
    """The number of the account that the provider deploys into."""
    return aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=parent)).account_id


def beside(arn: str, service: str, resource: str) -> str:
    """The ARN of another service's resource, in the partition, region and account of `arn`."""
    _arn, partition, _service, region, number, _resource = arn.split(":", 5)
    return f"arn:{partition}:{service}:{region}:{number}:{resource}"
