"""S3 buckets."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from infra.aws.access import document, tls_only
from infra.keep import Keep, kept
from infra.vocabulary import StoreArgs

NONCURRENT_DAYS = 30
"""How long a replaced or deleted object can be brought back."""
UPLOAD_DAYS = 7
"""How long an upload in parts may stay unfinished."""


class Store(pulumi.ComponentResource):
    """A private bucket: encrypted, versioned, owned by its account alone, closed to whoever does not speak TLS.

    It grants nobody access: see access.py.
    """

    ref: pulumi.Output[str]
    name: pulumi.Output[str]
    url: pulumi.Output[str]

    def __init__(self, name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:aws:Store", name, None, opts)
        # What guards its objects is kept with them.
        child_opts = kept(pulumi.ResourceOptions(parent=self), args.keep)
        bucket = aws.s3.Bucket(f"{name}-bucket", force_destroy=args.keep is Keep.NOTHING, opts=child_opts)
        self.announces = args.announces
        self._close(name, bucket, child_opts)
        self._keep(name, bucket, args, child_opts)
        if args.announces:
            aws.s3.BucketNotification(f"{name}-notification", bucket=bucket.bucket, eventbridge=True, opts=child_opts)
        self.ref = bucket.arn
        self.name = bucket.bucket
        self.url = pulumi.Output.concat("s3://", bucket.bucket)
        self.register_outputs({"ref": self.ref, "name": self.name, "url": self.url})

    def _close(self, name: str, bucket: aws.s3.Bucket, child_opts: pulumi.ResourceOptions) -> None:
        block = aws.s3.BucketPublicAccessBlock(
            f"{name}-public-access",
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child_opts,
        )
        aws.s3.BucketOwnershipControls(
            f"{name}-ownership",
            bucket=bucket.bucket,
            rule={"object_ownership": "BucketOwnerEnforced"},
            opts=child_opts,
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=bucket.bucket,
            rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
            opts=child_opts,
        )
        aws.s3.BucketPolicy(
            f"{name}-bucket-policy",
            bucket=bucket.bucket,
            policy=document([tls_only("s3:*", bucket.arn, pulumi.Output.concat(bucket.arn, "/*"))]),
            # S3 refuses to set both at once.
            opts=pulumi.ResourceOptions.merge(child_opts, pulumi.ResourceOptions(depends_on=[block])),
        )

    def _keep(self, name: str, bucket: aws.s3.Bucket, args: StoreArgs, child_opts: pulumi.ResourceOptions) -> None:
        versioning = aws.s3.BucketVersioning(
            f"{name}-versioning",
            bucket=bucket.bucket,
            versioning_configuration={"status": "Enabled"},
            opts=child_opts,
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=bucket.bucket,
            rules=_rules(args),
            opts=pulumi.ResourceOptions.merge(child_opts, pulumi.ResourceOptions(depends_on=[versioning])),
        )


def _rules(args: StoreArgs) -> list[aws.s3.BucketLifecycleConfigurationRuleArgsDict]:
    tidy: aws.s3.BucketLifecycleConfigurationRuleArgsDict = {
        "id": "tidy",
        "status": "Enabled",
        "filter": {"prefix": ""},
        "noncurrent_version_expiration": {"noncurrent_days": NONCURRENT_DAYS},
        "abort_incomplete_multipart_upload": {"days_after_initiation": UPLOAD_DAYS},
        "expiration": {"expired_object_delete_marker": True},
    }
    return [tidy, *(_expiring(prefix, days) for prefix, days in sorted(args.expire_days.items()))]


def _expiring(prefix: str, days: int) -> aws.s3.BucketLifecycleConfigurationRuleArgsDict:
    return {
        "id": f"expire-{prefix or 'all'}",
        "status": "Enabled",
        "filter": {"prefix": prefix},
        "expiration": {"days": days},
    }
