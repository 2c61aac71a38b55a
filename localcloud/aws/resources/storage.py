"""Buckets, their settings, and objects."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from localcloud.aws.api_parameters import pascal, select
from localcloud.aws.existence import asks, identity, of, reads_policy
from localcloud.aws.session import Session
from localcloud.engine.fingerprint import content
from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Order, Reads, Resource, ResourceHandler, put


def _s3(order: Order) -> Any:
    return order.session.client("s3")


def _bucket(order: Order) -> Registered:
    name = order.name(key="bucket", limit=63)
    session: Session = order.session
    location = {} if session.region == "us-east-1" else {"LocationConstraint": session.region}
    _s3(order).create_bucket(Bucket=name, **({"CreateBucketConfiguration": location} if location else {}))
    return Registered(
        id=name,
        outputs={
            "bucket": name,
            "arn": session.arn("s3", name, region=False, account=False),
            "bucketDomainName": f"{name}.s3.amazonaws.com",
            "bucketRegionalDomainName": f"{name}.s3.{session.region}.amazonaws.com",
            "region": session.region,
        },
    )


def _empty_and_delete(session: Session, resource: Resource) -> None:
    s3 = session.client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=resource.id):
        for entry in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            s3.delete_object(Bucket=resource.id, Key=entry["Key"], VersionId=entry["VersionId"])
    s3.delete_bucket(Bucket=resource.id)


def _setting(order: Order) -> Registered:
    bucket = order.inputs["bucket"]
    return Registered(id=bucket, outputs={**order.inputs, "region": order.session.region})


def _versioning(order: Order) -> Registered:
    _s3(order).put_bucket_versioning(
        Bucket=order.inputs["bucket"], VersioningConfiguration=pascal(order.inputs["versioningConfiguration"])
    )
    return _setting(order)


def _encryption(order: Order) -> Registered:
    rules = pascal(order.inputs["rules"], renamed={"sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"})
    _s3(order).put_bucket_encryption(Bucket=order.inputs["bucket"], ServerSideEncryptionConfiguration={"Rules": rules})
    return _setting(order)


READ = {"delete_bucket_lifecycle": "get_bucket_lifecycle_configuration"}
"""The S3 calls that read a setting and are not named like the one that removes it."""
BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def _public_access(order: Order) -> Registered:
    _s3(order).put_public_access_block(
        Bucket=order.inputs["bucket"], PublicAccessBlockConfiguration=select(order.inputs, BLOCKS)
    )
    return _setting(order)


def _ownership(order: Order) -> Registered:
    _s3(order).put_bucket_ownership_controls(
        Bucket=order.inputs["bucket"], OwnershipControls={"Rules": [pascal(order.inputs["rule"])]}
    )
    return _setting(order)


def _policy(order: Order) -> Registered:
    _s3(order).put_bucket_policy(Bucket=order.inputs["bucket"], Policy=order.inputs["policy"])
    return _setting(order)


def _lifecycle(order: Order) -> Registered:
    rules = pascal(order.inputs["rules"], renamed={"id": "ID"})
    for rule in rules:
        rule.setdefault("Filter", {"Prefix": ""})
    _s3(order).put_bucket_lifecycle_configuration(
        Bucket=order.inputs["bucket"], LifecycleConfiguration={"Rules": rules}
    )
    return _setting(order)


def _notification(order: Order) -> Registered:
    configuration = {"EventBridgeConfiguration": {}} if order.inputs.get("eventbridge") else {}
    _s3(order).put_bucket_notification_configuration(
        Bucket=order.inputs["bucket"], NotificationConfiguration=configuration
    )
    return _setting(order)


def _object(order: Order) -> Registered:
    inputs = order.inputs
    body = content(inputs["source"]) if "source" in inputs else inputs.get("content", "").encode()
    if "contentBase64" in inputs:
        body = base64.b64decode(inputs["contentBase64"])
    response = _s3(order).put_object(
        Bucket=inputs["bucket"], Key=inputs["key"], Body=body, **select(inputs, ("contentType",))
    )
    return Registered(
        id=f"{inputs['bucket']}/{inputs['key']}",
        outputs={
            **{key: value for key, value in inputs.items() if key != "source"},
            "arn": order.session.arn("s3", f"{inputs['bucket']}/{inputs['key']}", region=False, account=False),
            "etag": response["ETag"].strip('"'),
            "versionId": response.get("VersionId", ""),
        },
    )


def _delete_object(session: Session, resource: Resource) -> None:
    session.client("s3").delete_object(Bucket=resource.inputs["bucket"], Key=resource.inputs["key"])


def _settings(write: Any, delete: str, *takes: str, reads: Reads | None = None) -> ResourceHandler:
    """Return the handler of one setting of a bucket, which `write` replaces and the S3 call `delete` removes."""
    get = READ.get(delete, delete.replace("delete_", "get_"))

    def remove(session: Session, resource: Resource) -> None:
        getattr(session.client("s3"), delete)(Bucket=resource.id)

    return put(
        write,
        delete=remove,
        exists=asks("s3", get, {"Bucket": identity}),
        reads=reads,
        takes=frozenset({"bucket", *takes}),
        fixed=frozenset({"bucket"}),
    )


def _silence(session: Session, resource: Resource) -> None:
    session.client("s3").put_bucket_notification_configuration(Bucket=resource.id, NotificationConfiguration={})


def _announces(answer: Mapping[str, Any], resource: Resource) -> bool:
    return "EventBridgeConfiguration" in answer or not resource.inputs.get("eventbridge")


HANDLERS = {
    "aws:s3/bucket:Bucket": ResourceHandler(
        create=_bucket,
        delete=_empty_and_delete,
        exists=asks("s3", "head_bucket", {"Bucket": identity}),
        takes=frozenset({"bucket", "bucketPrefix"}),
        named="bucket",
    ),
    # Versioning can be suspended but never removed, so there is nothing to delete.
    "aws:s3/bucketVersioning:BucketVersioning": put(
        _versioning,
        exists=asks("s3", "head_bucket", {"Bucket": identity}),
        takes=frozenset({"bucket", "versioningConfiguration"}),
        fixed=frozenset({"bucket"}),
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _settings(
        _encryption, "delete_bucket_encryption", "rules"
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _settings(
        _public_access, "delete_public_access_block", *BLOCKS
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _settings(
        _ownership, "delete_bucket_ownership_controls", "rule"
    ),
    "aws:s3/bucketPolicy:BucketPolicy": _settings(
        _policy,
        "delete_bucket_policy",
        "policy",
        reads=reads_policy("s3", "get_bucket_policy", {"Bucket": identity}, lambda answer: answer["Policy"]),
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _settings(
        _lifecycle, "delete_bucket_lifecycle", "rules"
    ),
    "aws:s3/bucketNotification:BucketNotification": put(
        _notification,
        delete=_silence,
        exists=asks("s3", "get_bucket_notification_configuration", {"Bucket": identity}, has=_announces),
        takes=frozenset({"bucket", "eventbridge"}),
        fixed=frozenset({"bucket"}),
    ),
    "aws:s3/bucketObjectv2:BucketObjectv2": put(
        _object,
        delete=_delete_object,
        exists=asks("s3", "head_object", {"Bucket": of("bucket"), "Key": of("key")}),
        renews=frozenset({"etag", "versionId"}),
        takes=frozenset({"bucket", "key", "source", "content", "contentBase64", "contentType", "sourceHash"}),
        fixed=frozenset({"bucket", "key"}),
        named="key",
    ),
}
