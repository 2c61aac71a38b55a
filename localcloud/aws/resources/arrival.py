"""Rules of the event bus, and their targets: what a new object starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.aws.api_parameters import pascal, select
from localcloud.aws.existence import asks, identity, of
from localcloud.aws.session import Session
from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Order, Resource, put

RULE = ("eventPattern", "scheduleExpression", "description", "roleArn", "eventBusName", "state")
TARGET = ("arn", "roleArn", "input", "inputPath")
NESTED = ("deadLetterConfig", "retryPolicy", "sqsTarget")


def _rule(order: Order) -> Registered:
    name = order.name()
    arn = order.session.client("events").put_rule(Name=name, **select(order.inputs, RULE))["RuleArn"]
    return Registered(id=name, outputs={"eventBusName": "default", **order.inputs, "name": name, "arn": arn})


def _delete_rule(session: Session, resource: Resource) -> None:
    session.client("events").delete_rule(Name=resource.id, **select(resource.inputs, ("eventBusName",)))


def _target(order: Order) -> Registered:
    identity = order.name(key="targetId")
    target = {
        "Id": identity,
        **select(order.inputs, TARGET),
        **{key: pascal(value) for key, value in select(order.inputs, NESTED).items()},
    }
    for name, renamed in (("deadLetterConfig", "DeadLetterConfig"), ("sqsTarget", "SqsParameters")):
        if name in order.inputs:
            target.pop(name[:1].upper() + name[1:])
            target[renamed] = pascal(order.inputs[name])
    if transformer := order.inputs.get("inputTransformer"):
        target["InputTransformer"] = {
            "InputPathsMap": transformer.get("inputPaths", {}),
            "InputTemplate": transformer["inputTemplate"],
        }
    response = order.session.client("events").put_targets(
        Rule=order.inputs["rule"], Targets=[target], **select(order.inputs, ("eventBusName",))
    )
    if response.get("FailedEntryCount"):
        raise ValueError(response["FailedEntries"][0]["ErrorMessage"])
    return Registered(id=f"{order.inputs['rule']}-{identity}", outputs={**order.inputs, "targetId": identity})


def _delete_target(session: Session, resource: Resource) -> None:
    session.client("events").remove_targets(
        Rule=resource.inputs["rule"], Ids=[resource.outputs["targetId"]], **select(resource.inputs, ("eventBusName",))
    )


def _is_target(answer: Mapping[str, Any], resource: Resource) -> bool:
    return any(target["Id"] == resource.outputs["targetId"] for target in answer["Targets"])


HANDLERS = {
    "aws:cloudwatch/eventRule:EventRule": put(
        _rule,
        delete=_delete_rule,
        exists=asks("events", "describe_rule", {"Name": identity, "EventBusName": of("eventBusName")}),
        takes=frozenset({"name", "namePrefix", *RULE}),
        fixed=frozenset({"name", "namePrefix", "eventBusName"}),
    ),
    "aws:cloudwatch/eventTarget:EventTarget": put(
        _target,
        delete=_delete_target,
        exists=asks(
            "events", "list_targets_by_rule", {"Rule": of("rule"), "EventBusName": of("eventBusName")}, has=_is_target
        ),
        takes=frozenset({"targetId", "rule", "eventBusName", "inputTransformer", *TARGET, *NESTED}),
        fixed=frozenset({"targetId", "rule", "eventBusName"}),
        named="targetId",
    ),
}
