"""Logs kept for as long as was asked, and no longer.

Cloud Logging keeps everything in one bucket of the project, under the project's own
retention. A part of it is kept for another time by a bucket of its own, a sink that fills
it, and an exclusion, so that no second copy stays behind.
"""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from infra.gcp.place import region


def keep_logs(
    name: str,
    identity: gcp.serviceaccount.Account,
    lines: pulumi.Output[str],
    days: int,
    opts: pulumi.ResourceOptions,
) -> None:
    """Keep the log lines that a filter matches for so many days.

    The bucket's id must be given and be unique in the project: it is the account's, which Pulumi made up.
    """
    bucket = gcp.logging.ProjectBucketConfig(
        f"{name}-logs",
        project=identity.project,
        location=region(),
        bucket_id=identity.account_id,
        retention_days=days,
        opts=opts,
    )
    sink = gcp.logging.ProjectSink(
        f"{name}-logs-sink",
        destination=pulumi.Output.concat("logging.googleapis.com/", bucket.id),
        filter=lines,
        unique_writer_identity=True,
        opts=opts,
    )
    gcp.logging.ProjectExclusion(
        f"{name}-logs-exclusion",
        filter=lines,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[sink])),
    )
