"""The provider functions that a program may call, by their tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from localcloud.aws.session import PARTITION, Session


def _caller(session: Session, _: Mapping[str, Any]) -> dict[str, Any]:
    root = f"arn:{PARTITION}:iam::{session.account}:root"
    return {"id": session.account, "accountId": session.account, "arn": root, "userId": session.account}


def _region(session: Session, args: Mapping[str, Any]) -> dict[str, Any]:
    region = args.get("region") or session.region
    return {
        "id": region,
        "name": region,
        "region": region,
        "description": f"{region}, on this machine",
        "endpoint": f"ec2.{region}.amazonaws.com",
    }


def _partition(session: Session, _: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": PARTITION,
        "partition": PARTITION,
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
    }


PROVIDER_FUNCTIONS: Mapping[str, Callable[[Session, Mapping[str, Any]], dict[str, Any]]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": _caller,
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getPartition:getPartition": _partition,
}
