"""Log lines kept for as many days as the stack says, and no longer.

Cloud Logging keeps everything in one bucket of the project, under the project's own retention.
Some of it is kept for another time by a bucket of its own, a sink that fills it, and an
exclusion, so that no second copy is kept.
"""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from infra.gcp.project import region
from infra.keep import Keep, guarding, kept

EVERY_LINE = "_AllLogs"
"""The view that every log bucket has: https://cloud.google.com/logging/docs/logs-views"""


def keep_logs(
    name: str,
    identity: gcp.serviceaccount.Account,
    lines: pulumi.Output[str],
    days: int,
    keep: Keep,
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """Keep the log lines that a filter matches for so many days, and return the view that shows them.

    The bucket needs an id that is unique in the project: it has that of the account, to which Pulumi
    added random characters.
    """
    bucket = gcp.logging.ProjectBucketConfig(
        f"{name}-logs",
        project=identity.project,
        location=region(),
        bucket_id=identity.account_id,
        retention_days=days,
        opts=kept(opts, keep),
    )
    sink = gcp.logging.ProjectSink(
        f"{name}-logs-sink",
        destination=pulumi.Output.concat("logging.googleapis.com/", bucket.id),
        filter=lines,
        unique_writer_identity=True,
        opts=guarding(opts, keep),
    )
    gcp.logging.ProjectExclusion(
        f"{name}-logs-exclusion",
        filter=lines,
        opts=guarding(pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[sink])), keep),
    )
    return pulumi.Output.concat(bucket.id, "/views/", EVERY_LINE)
