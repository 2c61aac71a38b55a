"""Permissions as data: grants become IAM statements here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.aws.account import account_id
from infra.keys import Access, below, of_any_model
from infra.vocabulary import Grant

Statement = Mapping[str, Any]
"""One IAM statement; its values may be outputs."""

VERSION = "2012-10-17"

UNSCOPABLE: Mapping[str, str] = {
    "xray:PutTelemetryRecords": "X-Ray knows no resources: "
    "https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html",
    "xray:PutTraceSegments": "as above",
    "xray:GetSamplingRules": "which executions to trace is asked of X-Ray: "
    "https://docs.aws.amazon.com/step-functions/latest/dg/xray-iam.html",
    "xray:GetSamplingTargets": "as above",
    "logs:CreateLogDelivery": "a delivery has no ARN before it exists: "
    "https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html",
    "logs:DeleteLogDelivery": "as above",
    "logs:DescribeLogGroups": "as above",
    "logs:DescribeResourcePolicies": "as above",
    "logs:GetLogDelivery": "as above",
    "logs:ListLogDeliveries": "as above",
    "logs:PutResourcePolicy": "as above",
    "logs:UpdateLogDelivery": "as above",
}
"""The only actions that are granted on every resource, and why they cannot be granted on one."""

CONFUSABLE = frozenset({"events.amazonaws.com", "scheduler.amazonaws.com", "states.amazonaws.com"})
"""Services that say for whose account they act when they assume a role.

Lambda is not among them: it assumes only roles of the function's own account."""


def allow(
    actions: Sequence[str],
    resources: Sequence[pulumi.Input[str]],
    condition: Mapping[str, Any] | None = None,
) -> Statement:
    """Return the statement that allows actions on resources, under a condition if there is one."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return {**statement, "Condition": condition} if condition else statement


def everywhere(*actions: str) -> Statement:
    """Return the statement that allows actions of `UNSCOPABLE` on all resources. Raise `ValueError` for any other."""
    if scopable := sorted(set(actions) - UNSCOPABLE.keys()):
        raise ValueError(f"{', '.join(scopable)}: name the resources")
    return allow(actions, ["*"])


def tls_only(action: str, *resources: pulumi.Input[str]) -> Statement:
    """Return the statement that denies an action to whoever does not speak TLS."""
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": list(resources),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def storage(grants: Iterable[Grant]) -> list[Statement]:
    """Return the statements that mean the same as grants: exactly these actions, on exactly these prefixes.

    A grant for every model of the stack has `*` in place of their names, so that a policy is as long for fifty models
    as for one. `*` stands for slashes, too: docs/decisions/0019-one-wildcard-for-every-model.md.
    """
    return [statement for grant in grants for statement in _statements(grant)]


def document(statements: Sequence[Statement]) -> pulumi.Output[str]:
    """Return the policy document of statements, as JSON."""
    return pulumi.Output.json_dumps({"Version": VERSION, "Statement": list(statements)})


def role(
    name: str, service: str, statements: Sequence[Statement], parent: pulumi.Resource
) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
    """Make a role that one service may assume, and its one policy.

    What acts in the role as soon as it is made must depend on the policy, too.
    """
    child_opts = pulumi.ResourceOptions(parent=parent)
    assumed = aws.iam.Role(f"{name}-role", assume_role_policy=_trust(service, parent), opts=child_opts)
    policy = aws.iam.RolePolicy(f"{name}-policy", role=assumed.name, policy=document(statements), opts=child_opts)
    return assumed, policy


def _trust(service: str, parent: pulumi.Resource) -> pulumi.Output[str]:
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    if service in CONFUSABLE:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": account_id(parent)}}
    return document([statement])


def _statements(grant: Grant) -> list[Statement]:
    named = of_any_model(grant.keys) if grant.every_model else grant.keys
    keys = [f"{prefix}*" for prefix in below(named)]
    objects = [pulumi.Output.concat(grant.store.ref, "/", key) for key in keys]
    match grant.access:
        case Access.READ:
            return [allow(["s3:GetObject"], objects), allow(["s3:ListBucket"], [grant.store.ref], _listing(keys))]
        case Access.WRITE:
            # What is large is uploaded in parts; they stay, and are paid for, until a failed upload is aborted.
            return [allow(["s3:PutObject", "s3:AbortMultipartUpload"], objects)]
        case Access.REMOVE:
            # Not s3:DeleteObjectVersion: what went can be brought back.
            return [allow(["s3:DeleteObject"], objects)]


def _listing(keys: Sequence[str]) -> Mapping[str, Any]:
    """Return the condition under which only names like these are listed.

    A missing object is a 404 only for who may list the bucket, else a 403
    (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html); that request names no prefix,
    so the condition must hold where there is none.
    """
    return {"StringLikeIfExists": {"s3:prefix": list(keys)}}
