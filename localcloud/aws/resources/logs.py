"""Log groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.aws.existence import asks, identity
from localcloud.aws.session import Session
from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Order, Resource, ResourceHandler, put


def _group(order: Order) -> Registered:
    name = order.name(limit=512)
    order.session.client("logs").create_log_group(logGroupName=name)
    _retain(order, name)
    return Registered(
        id=name, outputs={**order.inputs, "name": name, "arn": order.session.arn("logs", f"log-group:{name}")}
    )


def _change_group(order: Order, before: Resource) -> Registered:
    _retain(order, before.id)
    return Registered(id=before.id, outputs={**before.outputs, **order.inputs})


def _retain(order: Order, name: str) -> None:
    if days := order.inputs.get("retentionInDays"):
        order.session.client("logs").put_retention_policy(logGroupName=name, retentionInDays=days)


def _delete_group(session: Session, resource: Resource) -> None:
    session.client("logs").delete_log_group(logGroupName=resource.id)


def _resource_policy(order: Order) -> Registered:
    name = order.inputs["policyName"]
    order.session.client("logs").put_resource_policy(policyName=name, policyDocument=order.inputs["policyDocument"])
    return Registered(id=name, outputs=order.inputs)


def _delete_resource_policy(session: Session, resource: Resource) -> None:
    session.client("logs").delete_resource_policy(policyName=resource.id)


def _is_group(answer: Mapping[str, Any], resource: Resource) -> bool:
    return any(group["logGroupName"] == resource.id for group in answer["logGroups"])


def _is_policy(answer: Mapping[str, Any], resource: Resource) -> bool:
    return any(policy["policyName"] == resource.id for policy in answer["resourcePolicies"])


HANDLERS = {
    "aws:cloudwatch/logGroup:LogGroup": ResourceHandler(
        create=_group,
        update=_change_group,
        delete=_delete_group,
        exists=asks("logs", "describe_log_groups", {"logGroupNamePrefix": identity}, has=_is_group),
        takes=frozenset({"name", "namePrefix", "retentionInDays"}),
        fixed=frozenset({"name", "namePrefix"}),
    ),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": put(
        _resource_policy,
        delete=_delete_resource_policy,
        exists=asks("logs", "describe_resource_policies", {}, has=_is_policy),
        takes=frozenset({"policyName", "policyDocument"}),
        fixed=frozenset({"policyName"}),
        named="policyName",
    ),
}
