"""Permissions as data: grants and edges become IAM statements here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.aws.place import account
from infra.vocabulary import Access, Grant

Statement = Mapping[str, Any]
"""One IAM statement; its values may be outputs."""

VERSION = "2012-10-17"
POLICY_CHARACTERS = 10_240
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: inline policies of one role, together."""

UNSCOPABLE: Mapping[str, str] = {
    "xray:PutTelemetryRecords": "X-Ray knows no resources: "
    "https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html",
    "xray:PutTraceSegments": "as above",
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
"""Services that say, when they take a role, for whose account they act.

Lambda is not among them: it takes only roles of the function's own account.
"""


def allow(
    actions: Sequence[str],
    resources: Sequence[pulumi.Input[str]],
    condition: Mapping[str, Any] | None = None,
) -> Statement:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return {**statement, "Condition": condition} if condition else statement


def everywhere(*actions: str) -> Statement:
    """For actions of `UNSCOPABLE`; any other is a `ValueError`."""
    if scopable := sorted(set(actions) - UNSCOPABLE.keys()):
        raise ValueError(f"{', '.join(scopable)}: name the resources")
    return allow(actions, ["*"])


def tls_only(action: str, *resources: pulumi.Input[str]) -> Statement:
    """Refuse whoever does not speak TLS."""
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": list(resources),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def storage(grants: Iterable[Grant]) -> list[Statement]:
    """What grants allow: exactly these actions, on exactly these prefixes."""
    return [statement for grant in grants for statement in _granted(grant)]


def document(statements: Sequence[Statement]) -> pulumi.Output[str]:
    return pulumi.Output.json_dumps({"Version": VERSION, "Statement": list(statements)})


def role(
    name: str, service: str, statements: Sequence[Statement], parent: pulumi.Resource
) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
    """A role that one service may take, and its one policy.

    What acts in the role right after it is made must depend on the policy, too.
    """
    mine = pulumi.ResourceOptions(parent=parent)
    taken = aws.iam.Role(f"{name}-role", assume_role_policy=_trust(service, parent), opts=mine)
    policy = aws.iam.RolePolicy(f"{name}-policy", role=taken.name, policy=_within_limit(name, statements), opts=mine)
    return taken, policy


def _within_limit(name: str, statements: Sequence[Statement]) -> pulumi.Output[str]:
    def checked(text: str) -> str:
        size = sum(not character.isspace() for character in text)
        if size > POLICY_CHARACTERS:
            raise pulumi.RunError(
                f"{name}: the policy of its role has {size:,} characters; IAM accepts {POLICY_CHARACTERS:,}."
                " Give the stack fewer models, or shorter names"
            )
        return text

    return document(statements).apply(checked)


def _trust(service: str, parent: pulumi.Resource) -> pulumi.Output[str]:
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    if service in CONFUSABLE:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": account(parent)}}
    return document([statement])


def _granted(grant: Grant) -> list[Statement]:
    objects = [pulumi.Output.concat(grant.store.ref, "/", prefix, "*") for prefix in grant.prefixes]
    match grant.access:
        case Access.READ:
            return [allow(["s3:GetObject"], objects), allow(["s3:ListBucket"], [grant.store.ref], _listing(grant))]
        case Access.WRITE:
            return [allow(["s3:PutObject"], objects)]


def _listing(grant: Grant) -> Mapping[str, Any] | None:
    """Only names under the prefixes are listed.

    A missing object is a 404 only for who may list the bucket, else a 403
    (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html); that request names
    no prefix, so a condition must hold where there is none.
    """
    if "" in grant.prefixes:
        return None
    return {"StringLikeIfExists": {"s3:prefix": [f"{prefix}*" for prefix in grant.prefixes]}}
