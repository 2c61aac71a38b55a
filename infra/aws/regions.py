"""The regions that a stack can be deployed into: all of AWS's own, without those that lack what a profile needs.

Lambda, API Gateway, Step Functions, EventBridge with its scheduler, S3, SQS, CloudWatch Logs, X-Ray and
Application Auto Scaling are in every region of the partition `aws`: the endpoints that botocore 1.44.5
lists, 34 regions, read on 2026-11-29. Snapshots are not.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from infra.scaling import Balanced, Profile
from infra.settings_file import origin

REGIONS = (
    *("af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3"),
    *("ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4"),
    *("ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "eu-central-1"),
    *("eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3"),
    *("il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1"),
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2"),
)
READ_ON = "2026-11-29"
VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")
"""Where the provider looks for what the stack does not say: https://www.pulumi.com/registry/packages/aws/."""
NO_SNAPSHOTS = frozenset({"ap-east-2", "ap-southeast-6"})
"""https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html: every commercial region but these."""


def require_region(profiles: Mapping[str, Profile]) -> None:
    """Raise `pulumi.RunError`, which lists what is accepted, for a region without the services of the stack.

    Those of China, of GovCloud and of isolated partitions are not accepted. One that only the provider's own profile
    names is not known here.
    """
    if (name := aws.config.region) is None:
        return
    where = origin("aws:region", name, VARIABLES)
    if name not in REGIONS:
        raise pulumi.RunError(
            f"{where}: {name} is no region of AWS with every service of a stack;"
            f" accepted, as of {READ_ON}: {', '.join(REGIONS)}"
        )
    snapshots = [function for function, profile in profiles.items() if isinstance(profile, Balanced)]
    if snapshots and name in NO_SNAPSHOTS:
        raise pulumi.RunError(
            f"{where}: {name} takes no snapshots, which function {', '.join(snapshots)} asks for by the profile"
            " balanced; accepted there: eco, latency"
        )
