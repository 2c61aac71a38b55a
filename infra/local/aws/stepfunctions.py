"""State machines."""

from __future__ import annotations

from typing import Any

from infra.local.aws.session import Session
from infra.local.aws.shape import pascal
from infra.local.hand import Hand, Made, Order
from infra.local.program import Registered


def _definition(order: Order) -> dict[str, Any]:
    nested = {
        ours: pascal(order.inputs[ours])
        for ours in ("loggingConfiguration", "tracingConfiguration")
        if ours in order.inputs
    }
    return {"definition": order.inputs["definition"], "roleArn": order.inputs["roleArn"], **_lowered(nested)}


def _lowered(value: Any) -> Any:
    """This API spells everything in camelCase, as the provider does, save the destinations of a log."""
    match value:
        case dict():
            return {key[:1].lower() + key[1:]: _lowered(inner) for key, inner in value.items()}
        case _:
            return value


def _machine(order: Order) -> Registered:
    name = order.name(limit=80)
    arn = order.session.client("stepfunctions").create_state_machine(
        name=name, type=order.inputs.get("type", "STANDARD"), **_definition(order)
    )["stateMachineArn"]
    return Registered(id=arn, outputs={**order.inputs, "name": name, "arn": arn, "status": "ACTIVE"})


def _change_machine(order: Order, before: Made) -> Registered:
    order.session.client("stepfunctions").update_state_machine(stateMachineArn=before.id, **_definition(order))
    return Registered(id=before.id, outputs={**before.outputs, **order.inputs})


def _delete_machine(session: Session, made: Made) -> None:
    session.client("stepfunctions").delete_state_machine(stateMachineArn=made.id)


HANDS = {
    "aws:sfn/stateMachine:StateMachine": Hand(
        create=_machine,
        update=_change_machine,
        delete=_delete_machine,
        takes=frozenset({"name", "namePrefix", "definition", "roleArn", "type"}),
        ignores={
            "loggingConfiguration": "stored, executions are kept but not logged",
            "tracingConfiguration": "stored, no traces are kept",
        },
        fixed=frozenset({"name", "namePrefix", "type"}),
    )
}
