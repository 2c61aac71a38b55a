"""Rules of the event bus: what a new object sets off."""

from __future__ import annotations

from localcloud.aws.session import Session
from localcloud.aws.shape import chosen, pascal
from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Made, Order, put

RULE = ("eventPattern", "scheduleExpression", "description", "roleArn", "eventBusName", "state")
TARGET = ("arn", "roleArn", "input", "inputPath")
NESTED = ("deadLetterConfig", "retryPolicy", "sqsTarget")


def _rule(order: Order) -> Registered:
    name = order.name()
    arn = order.session.client("events").put_rule(Name=name, **chosen(order.inputs, RULE))["RuleArn"]
    return Registered(id=name, outputs={"eventBusName": "default", **order.inputs, "name": name, "arn": arn})


def _delete_rule(session: Session, made: Made) -> None:
    session.client("events").delete_rule(Name=made.id, **chosen(made.inputs, ("eventBusName",)))


def _target(order: Order) -> Registered:
    identity = order.name(key="targetId")
    target = {
        "Id": identity,
        **chosen(order.inputs, TARGET),
        **{key: pascal(value) for key, value in chosen(order.inputs, NESTED).items()},
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
    answer = order.session.client("events").put_targets(
        Rule=order.inputs["rule"], Targets=[target], **chosen(order.inputs, ("eventBusName",))
    )
    if answer.get("FailedEntryCount"):
        raise ValueError(answer["FailedEntries"][0]["ErrorMessage"])
    return Registered(id=f"{order.inputs['rule']}-{identity}", outputs={**order.inputs, "targetId": identity})


def _delete_target(session: Session, made: Made) -> None:
    session.client("events").remove_targets(
        Rule=made.inputs["rule"], Ids=[made.outputs["targetId"]], **chosen(made.inputs, ("eventBusName",))
    )


HANDLERS = {
    "aws:cloudwatch/eventRule:EventRule": put(
        _rule,
        delete=_delete_rule,
        takes=frozenset({"name", "namePrefix", *RULE}),
        fixed=frozenset({"name", "namePrefix", "eventBusName"}),
    ),
    "aws:cloudwatch/eventTarget:EventTarget": put(
        _target,
        delete=_delete_target,
        takes=frozenset({"targetId", "rule", "eventBusName", "inputTransformer", *TARGET, *NESTED}),
        fixed=frozenset({"targetId", "rule", "eventBusName"}),
        named="targetId",
    ),
}
