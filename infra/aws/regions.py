"""The regions that a stack can be deployed into: all of AWS's own, without those that lack what a profile needs.

Lambda, API Gateway, Step Functions, EventBridge with its scheduler, S3, SQS, CloudWatch Logs, X-Ray and
Application Auto Scaling are in every region of the partition `aws`: the endpoints that botocore 1.44.5
lists, 34 regions, read on 2026-11-29. Snapshots are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.aws.scaling import snapshots
from infra.serving import groups

if TYPE_CHECKING:
    from infra.settings import Settings


def require_region(settings: Settings) -> None:
    """Raise `pulumi.RunError` as `snapshots` does, before any resource is made."""
    for group in groups(settings):
        snapshots(group.name, group.profile)
