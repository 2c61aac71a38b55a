"""State machines."""

from __future__ import annotations

from typing import Any

from localcloud.aws.existence import asks, identity
from localcloud.aws.session import Session
from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Order, Resource, ResourceHandler


def _definition(order: Order) -> dict[str, Any]:
    settings = {"definition": order.inputs["definition"], "roleArn": order.inputs["roleArn"]}
    if logging := order.inputs.get("loggingConfiguration"):
        destination = logging.get("logDestination")
        settings["loggingConfiguration"] = {
            **{key: value for key, value in logging.items() if key != "logDestination"},
            "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": destination}}] if destination else [],
        }
    if tracing := order.inputs.get("tracingConfiguration"):
        settings["tracingConfiguration"] = tracing
    return settings


def _machine(order: Order) -> Registered:
    name = order.name(limit=80)
    arn = order.session.client("stepfunctions").create_state_machine(
        name=name, type=order.inputs.get("type", "STANDARD"), **_definition(order)
    )["stateMachineArn"]
    return Registered(id=arn, outputs={**order.inputs, "name": name, "arn": arn, "status": "ACTIVE"})


def _change_machine(order: Order, before: Resource) -> Registered:
    order.session.client("stepfunctions").update_state_machine(stateMachineArn=before.id, **_definition(order))
    return Registered(id=before.id, outputs={**before.outputs, **order.inputs})


def _delete_machine(session: Session, resource: Resource) -> None:
    session.client("stepfunctions").delete_state_machine(stateMachineArn=resource.id)


HANDLERS = {
    "aws:sfn/stateMachine:StateMachine": ResourceHandler(
        create=_machine,
        update=_change_machine,
        delete=_delete_machine,
        exists=asks("stepfunctions", "describe_state_machine", {"stateMachineArn": identity}),
        takes=frozenset({"name", "namePrefix", "definition", "roleArn", "type"}),
        ignores={
            "loggingConfiguration": "stored, executions are kept but not logged",
            "tracingConfiguration": "stored, no traces are kept",
        },
        fixed=frozenset({"name", "namePrefix", "type"}),
    )
}
