"""What is asked of an AWS account, and what the answers mean for a stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from doctor import name, quota
from doctor.aws.account import Account, Identity
from doctor.aws.permissions import needed, unlisted
from doctor.check import Check, NotAnswered, missing
from doctor.finding import Finding, fails, ready, unknown
from doctor.stack import Stack

SERVICES: Mapping[str, str] = {
    "apigatewayv2": "apigatewayv2",
    "appautoscaling": "application-autoscaling",
    "cloudwatch": "logs",
    "lambda": "lambda",
    "s3": "s3",
    "scheduler": "scheduler",
    "sfn": "stepfunctions",
    "sqs": "sqs",
}
"""The services of the provider's modules, by the names of AWS's own list of regions."""
LIST = "/aws/service/global-infrastructure/services"
"""https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters-global-infrastructure.html"""
LISTED = "aws"
"""The partition whose regions are listed."""
LIST_REGION = "us-east-1"
"""A region that has the list, and every service that is in it under the name that is asked for."""
AT_ONCE = 10
"""The most parameters of one call."""
COPIES = "L-B99A9384"
"""The code of the quota that Lambda itself tells, with what is reserved of it."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """The services of a stack that a region has, of those that AWS's list knows."""

    region: str
    listed: frozenset[str]
    offered: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Copies:
    """The copies of functions that an account may run at once, and those that are reserved."""

    region: str
    most: int
    reserved: int


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What the caller may not do of what a deployment needs."""

    identity: Identity
    refused: tuple[str, ...]


def ask_identity(account: Account, _: Stack) -> Identity:
    return account.identity


def judge_identity(identity: Identity, _: Stack) -> list[Finding]:
    return [ready(f"{identity.arn}, in account {identity.account}")]


def ask_offer(account: Account, stack: Stack) -> Offer:
    if account.partition != LISTED:
        raise NotAnswered(f"AWS lists no services of {account.region}, a region of the partition {account.partition}")
    services = sorted(SERVICES[module] for module in stack.modules if module in SERVICES)
    names = [f"{LIST}/{service}/regions/{place}" for service in services for place in {LIST_REGION, account.region}]
    found: set[str] = set()
    for start in range(0, len(names), AT_ONCE):
        answer = account.call(
            "ssm", "get_parameters", "ssm:GetParameters", region=LIST_REGION, Names=names[start : start + AT_ONCE]
        )
        found.update(parameter["Name"] for parameter in answer["Parameters"])
    return Offer(
        region=account.region,
        listed=frozenset(service for service in services if f"{LIST}/{service}/regions/{LIST_REGION}" in found),
        offered=frozenset(service for service in services if f"{LIST}/{service}/regions/{account.region}" in found),
    )


def judge_offer(offer: Offer, _: Stack) -> list[Finding]:
    if lacking := missing(offer.listed, offer.offered):
        text = f"{offer.region} has no {', '.join(lacking)}"
        return [fails(text, f"pulumi config set aws:region {LIST_REGION}")]
    return [ready(f"{offer.region} has {', '.join(sorted(offer.offered)) or 'no service that is asked for'}")]


def ask_copies(account: Account, _: Stack) -> Copies:
    limit = account.call("lambda", "get_account_settings", "lambda:GetAccountSettings")["AccountLimit"]
    most = limit["ConcurrentExecutions"]
    return Copies(region=account.region, most=most, reserved=most - limit["UnreservedConcurrentExecutions"])


def judge_copies(copies: Copies, stack: Stack) -> list[Finding]:
    found = []
    for want in stack.wants:
        if want.quota.code != COPIES:
            found.append(quota.not_asked(want))
            continue
        mend = (
            f"aws service-quotas request-service-quota-increase --service-code {want.quota.service}"
            f" --quota-code {want.quota.code} --desired-value {max(want.wanted, want.to_deploy)}"
            f" --region {copies.region}"
        )
        found.append(quota.judge(want, copies.most, in_use=copies.reserved, mend=(mend,)))
    return found


def ask_rights(account: Account, stack: Stack) -> Rights:
    actions, identity = needed(stack.types), account.identity
    if identity.is_root or not actions:
        return Rights(identity=identity, refused=())
    pages = account.pages(
        "iam",
        "simulate_principal_policy",
        "iam:SimulatePrincipalPolicy",
        PolicySourceArn=_principal(account),
        ActionNames=actions,
    )
    results = [result for page in pages for result in page["EvaluationResults"]]
    refused = tuple(result["EvalActionName"] for result in results if result["EvalDecision"] != "allowed")
    return Rights(identity=identity, refused=refused)


def judge_rights(rights: Rights, stack: Stack) -> list[Finding]:
    found = [unknown(f"what creating {kind} needs is in no table here") for kind in unlisted(stack.types)]
    if rights.refused:
        return [*found, fails(f"the caller may not {', '.join(rights.refused)}", _granting(rights))]
    who = "the root user may do everything" if rights.identity.is_root else "the caller may create what is declared"
    return [*found, ready(who)]


def _granting(rights: Rights) -> str:
    statement = {"Effect": "Allow", "Action": list(rights.refused), "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    resource = rights.identity.arn.split(":", 5)[5].split("/")
    kind = "user" if resource[0] == "user" else "role"
    called = resource[-1] if kind == "user" else resource[1]
    return f"aws iam put-{kind}-policy --{kind}-name {called} --policy-name deploy --policy-document '{document}'"


def _principal(account: Account) -> str:
    """Return the ARN whose policies hold for the caller: the user's, or that of the role that is assumed."""
    kind, _, called = account.identity.arn.split(":", 5)[5].partition("/")
    if kind == "user":
        return account.identity.arn
    if kind != "assumed-role":
        raise NotAnswered(f"what {account.identity.arn} may do cannot be asked: it is neither a user nor a role")
    role = account.call("iam", "get_role", "iam:GetRole", RoleName=called.split("/")[0])
    return role["Role"]["Arn"]


def _group(account: Account, stated: str) -> bool | None:
    groups = account.call("logs", "describe_log_groups", "logs:DescribeLogGroups", logGroupNamePrefix=stated)[
        "logGroups"
    ]
    return True if any(group["logGroupName"] == stated for group in groups) else None


def _found(service: str, method: str, permission: str, argument: str) -> name.Owner[Account]:
    def own(account: Account, stated: str) -> bool | None:
        return account.exists(service, method, permission, **{argument: stated}) or None

    return own


NAMED: Mapping[str, tuple[str, name.Owner[Account]]] = {
    "aws:s3/bucket:Bucket": ("bucket", Account.bucket),
    "aws:lambda/function:Function": ("name", _found("lambda", "get_function", "lambda:GetFunction", "FunctionName")),
    "aws:iam/role:Role": ("name", _found("iam", "get_role", "iam:GetRole", "RoleName")),
    "aws:sqs/queue:Queue": ("name", _found("sqs", "get_queue_url", "sqs:GetQueueUrl", "QueueName")),
    "aws:cloudwatch/logGroup:LogGroup": ("name", _group),
}
"""The types whose names are unique in an account or everywhere: the input with the name, and whose it is."""
CHECKS = (
    Check(name="identity", ask=ask_identity, judge=judge_identity),
    Check(name="region", ask=ask_offer, judge=judge_offer),
    Check(name="quotas", ask=ask_copies, judge=judge_copies),
    Check(name="names", ask=name.asker(NAMED), judge=name.judge),
    Check(name="permissions", ask=ask_rights, judge=judge_rights),
)
