"""Roles and policies, which the emulator enforces for every function, and permissions to call one, which it ignores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from localcloud.aws.api_parameters import select
from localcloud.aws.existence import asks, identity, of, reads_policy
from localcloud.aws.session import Session
from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Order, Resource, ResourceHandler, put

ROLE_POLICY = {"RoleName": of("role"), "PolicyName": of("name")}
PERMISSION = ("action", "principal", "sourceArn", "sourceAccount", "qualifier", "eventSourceToken")


def _iam(order: Order) -> Any:
    return order.session.client("iam")


def _role(order: Order) -> Registered:
    name = order.name()
    role = _iam(order).create_role(
        RoleName=name,
        AssumeRolePolicyDocument=order.inputs["assumeRolePolicy"],
        **select(order.inputs, ("path", "description", "maxSessionDuration")),
    )["Role"]
    return Registered(id=name, outputs={**order.inputs, "name": name, "arn": role["Arn"], "uniqueId": role["RoleId"]})


def _change_role(order: Order, before: Resource) -> Registered:
    iam = _iam(order)
    iam.update_assume_role_policy(RoleName=before.id, PolicyDocument=order.inputs["assumeRolePolicy"])
    iam.update_role(RoleName=before.id, **select(order.inputs, ("description", "maxSessionDuration")))
    return Registered(id=before.id, outputs={**before.outputs, **order.inputs})


def _delete_role(session: Session, resource: Resource) -> None:
    session.client("iam").delete_role(RoleName=resource.id)


def _role_policy(order: Order) -> Registered:
    role, name = order.inputs["role"], order.name(limit=128)
    _iam(order).put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=order.inputs["policy"])
    return Registered(id=f"{role}:{name}", outputs={**order.inputs, "name": name})


def _delete_role_policy(session: Session, resource: Resource) -> None:
    session.client("iam").delete_role_policy(RoleName=resource.inputs["role"], PolicyName=resource.outputs["name"])


def _policy(order: Order) -> Registered:
    name = order.name(limit=128)
    policy = _iam(order).create_policy(
        PolicyName=name, PolicyDocument=order.inputs["policy"], **select(order.inputs, ("path", "description"))
    )["Policy"]
    return Registered(id=policy["Arn"], outputs={**order.inputs, "name": name, "arn": policy["Arn"]})


def _delete_policy(session: Session, resource: Resource) -> None:
    session.client("iam").delete_policy(PolicyArn=resource.id)


def _attachment(order: Order) -> Registered:
    role, arn = order.inputs["role"], order.inputs["policyArn"]
    _iam(order).attach_role_policy(RoleName=role, PolicyArn=arn)
    return Registered(id=f"{role}/{arn}", outputs=order.inputs)


def _detach(session: Session, resource: Resource) -> None:
    session.client("iam").detach_role_policy(RoleName=resource.inputs["role"], PolicyArn=resource.inputs["policyArn"])


def _permission(order: Order) -> Registered:
    statement = order.name(key="statementId", limit=100)
    order.session.client("lambda").add_permission(
        StatementId=statement, FunctionName=order.inputs["function"], **select(order.inputs, PERMISSION)
    )
    return Registered(id=statement, outputs={**order.inputs, "statementId": statement})


def _delete_permission(session: Session, resource: Resource) -> None:
    session.client("lambda").remove_permission(
        StatementId=resource.id, FunctionName=resource.inputs["function"], **select(resource.inputs, ("qualifier",))
    )


def _is_attached(answer: Mapping[str, Any], resource: Resource) -> bool:
    return any(policy["PolicyArn"] == resource.inputs["policyArn"] for policy in answer["AttachedPolicies"])


def _has_statement(answer: Mapping[str, Any], resource: Resource) -> bool:
    return any(statement["Sid"] == resource.id for statement in json.loads(answer["Policy"])["Statement"])


HANDLERS = {
    "aws:iam/role:Role": ResourceHandler(
        create=_role,
        update=_change_role,
        delete=_delete_role,
        exists=asks("iam", "get_role", {"RoleName": identity}),
        takes=frozenset({"name", "namePrefix", "assumeRolePolicy", "path", "description", "maxSessionDuration"}),
        fixed=frozenset({"name", "namePrefix", "path"}),
    ),
    "aws:iam/rolePolicy:RolePolicy": put(
        _role_policy,
        delete=_delete_role_policy,
        exists=asks("iam", "get_role_policy", ROLE_POLICY),
        reads=reads_policy("iam", "get_role_policy", ROLE_POLICY, lambda answer: answer["PolicyDocument"]),
        takes=frozenset({"name", "namePrefix", "role", "policy"}),
        fixed=frozenset({"name", "namePrefix", "role"}),
    ),
    "aws:iam/policy:Policy": ResourceHandler(
        create=_policy,
        delete=_delete_policy,
        exists=asks("iam", "get_policy", {"PolicyArn": identity}),
        takes=frozenset({"name", "namePrefix", "policy", "path", "description"}),
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": ResourceHandler(
        create=_attachment,
        delete=_detach,
        exists=asks("iam", "list_attached_role_policies", {"RoleName": of("role")}, has=_is_attached),
        takes=frozenset({"role", "policyArn"}),
    ),
    "aws:lambda/permission:Permission": ResourceHandler(
        create=_permission,
        delete=_delete_permission,
        exists=asks(
            "lambda", "get_policy", {"FunctionName": of("function"), "Qualifier": of("qualifier")}, has=_has_statement
        ),
        takes=frozenset({"function", "statementId", "statementIdPrefix", *PERMISSION}),
        named="statementId",
    ),
}
