"""Cloud Storage buckets."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_gcp as gcp

from infra.gcp.builder import Builder, declare
from infra.gcp.project import region
from infra.keep import Keep, kept
from infra.vocabulary import StoreArgs

NONCURRENT_DAYS = 30
"""How long a replaced or deleted object can be brought back."""
UPLOAD_DAYS = 7
"""How long an upload may stay unfinished."""
SOFT_DELETE_SECONDS = 7 * 24 * 3600
"""How long even a deleted version can be restored, where the data is protected."""


class Store(pulumi.ComponentResource):
    """A private, versioned bucket in the stack's region. It grants nobody access: see access.py.

    Cloud Storage encrypts every object and answers over TLS alone; neither can be turned off. An
    arrival makes its own notifications: see arrival.py.
    """

    ref: pulumi.Output[str]
    name: pulumi.Output[str]
    url: pulumi.Output[str]

    def __init__(self, name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:gcp:Store", name, None, opts)
        bucket = gcp.storage.Bucket(
            f"{name}-bucket",
            location=region(),
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            versioning={"enabled": True},
            soft_delete_policy={"retention_duration_seconds": 0 if args.keep is Keep.NOTHING else SOFT_DELETE_SECONDS},
            lifecycle_rules=_lifecycle(args.expire_days),
            force_destroy=args.keep is Keep.NOTHING,
            opts=kept(pulumi.ResourceOptions(parent=self), args.keep),
        )
        self.announces = args.announces
        self._logical_name = name
        self._builder: Builder | None = None
        self.ref = pulumi.Output.concat("projects/_/buckets/", bucket.name)
        self.name = bucket.name
        self.url = pulumi.Output.concat("gs://", bucket.name)
        self.register_outputs({"ref": self.ref, "name": self.name, "url": self.url})

    def builder(self) -> Builder:
        """Return what builds the archives in this bucket, which is declared when it is first asked for."""
        if self._builder is None:
            self._builder = declare(self._logical_name, self.name, pulumi.ResourceOptions(parent=self))
        return self._builder


def _lifecycle(expire_days: Mapping[str, int]) -> list[gcp.storage.BucketLifecycleRuleArgsDict]:
    """Return the rules of expiry. An expired object first becomes a noncurrent version, and is deleted as one."""
    return [
        {
            "action": {"type": "Delete"},
            "condition": {"days_since_noncurrent_time": NONCURRENT_DAYS, "with_state": "ARCHIVED"},
        },
        {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": UPLOAD_DAYS}},
        *(_expiry(prefix, days) for prefix, days in sorted(expire_days.items())),
    ]


def _expiry(prefix: str, days: int) -> gcp.storage.BucketLifecycleRuleArgsDict:
    condition: gcp.storage.BucketLifecycleRuleConditionArgsDict = {"age": days, "with_state": "LIVE"}
    if prefix:
        condition["matches_prefixes"] = [prefix]
    return {"action": {"type": "Delete"}, "condition": condition}
