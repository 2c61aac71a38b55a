"""The regions that a stack can be deployed into: all of AWS's own, without those that lack what a profile needs.

Lambda, API Gateway, Step Functions, EventBridge with its scheduler, S3, SQS, CloudWatch Logs, X-Ray and
Application Auto Scaling are in every region of the partition `aws`: the endpoints that botocore 1.44.5
lists, 34 regions, read on 2026-11-29. Snapshots are not.
"""

from __future__ import annotations

from collections.abc import Mapping

from infra.aws.scaling import snapshots
from infra.scaling import Profile


def require_region(profiles: Mapping[str, Profile]) -> None:
    """Raise `pulumi.RunError` as `snapshots` does, before any resource is made."""
    for name, profile in profiles.items():
        snapshots(name, profile)
