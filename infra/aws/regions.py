"""The regions that a stack can be deployed into: all of AWS's own, without those that lack what a profile needs.

Lambda, API Gateway, Step Functions, EventBridge with its scheduler, S3, SQS, CloudWatch Logs, X-Ray and
Application Auto Scaling are in every region of the partition `aws`: the endpoints that botocore 1.44.5
lists, 34 regions, read on 2026-11-29. Snapshots are not.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from infra.aws.scaling import snapshots
from infra.scaling import Profile

REGIONS = (
    *("af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3"),
    *("ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4"),
    *("ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "eu-central-1"),
    *("eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3"),
    *("il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1"),
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2"),
)
READ_ON = "2026-11-29"


def require_region(profiles: Mapping[str, Profile]) -> None:
    """Raise `pulumi.RunError`, which lists what is accepted, for another region, and as `snapshots` does."""
    name = aws.config.region
    if name is not None and name not in REGIONS:
        raise pulumi.RunError(
            f"Pulumi.{pulumi.get_stack()}.yaml: aws:region: {name} is no region of AWS with every service of a stack;"
            f" accepted, as of {READ_ON}: {', '.join(REGIONS)}"
        )
    for function, profile in profiles.items():
        snapshots(function, profile)
