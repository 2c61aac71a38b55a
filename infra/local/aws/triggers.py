"""What calls a function, and what happens to a call that fails."""

from __future__ import annotations

from typing import Any

from infra.local.aws.session import Session
from infra.local.aws.shape import chosen, pascal
from infra.local.hand import Hand, Made, Order, put
from infra.local.program import Registered

PERMISSION = ("action", "principal", "sourceArn", "sourceAccount", "qualifier", "eventSourceToken")
MAPPING = (
    "eventSourceArn",
    "batchSize",
    "enabled",
    "maximumBatchingWindowInSeconds",
    "functionResponseTypes",
)


def _lambda(order: Order) -> Any:
    return order.session.client("lambda")


def _permission(order: Order) -> Registered:
    statement = order.name(key="statementId", limit=100)
    _lambda(order).add_permission(
        StatementId=statement, FunctionName=order.inputs["function"], **chosen(order.inputs, PERMISSION)
    )
    return Registered(id=statement, outputs={**order.inputs, "statementId": statement})


def _delete_permission(session: Session, made: Made) -> None:
    session.client("lambda").remove_permission(
        StatementId=made.id, FunctionName=made.inputs["function"], **chosen(made.inputs, ("qualifier",))
    )


def _mapping(order: Order) -> Registered:
    made = _lambda(order).create_event_source_mapping(
        FunctionName=order.inputs["functionName"], **chosen(order.inputs, MAPPING), **_scaling(order)
    )
    return _mapped(order, made)


def _change_mapping(order: Order, before: Made) -> Registered:
    changed = {key: value for key, value in chosen(order.inputs, MAPPING).items() if key != "EventSourceArn"}
    made = _lambda(order).update_event_source_mapping(
        UUID=before.id, FunctionName=order.inputs["functionName"], **changed, **_scaling(order)
    )
    return _mapped(order, made)


def _scaling(order: Order) -> dict[str, Any]:
    nested = chosen(order.inputs, ("scalingConfig", "destinationConfig", "filterCriteria"))
    return {key: pascal(value) for key, value in nested.items()}


def _mapped(order: Order, made: dict[str, Any]) -> Registered:
    return Registered(
        id=made["UUID"],
        outputs={**order.inputs, "uuid": made["UUID"], "functionArn": made["FunctionArn"], "state": made["State"]},
    )


def _delete_mapping(session: Session, made: Made) -> None:
    session.client("lambda").delete_event_source_mapping(UUID=made.id)


def _recursion(order: Order) -> Registered:
    name = order.inputs["functionName"]
    _lambda(order).put_function_recursion_config(FunctionName=name, RecursiveLoop=order.inputs["recursiveLoop"])
    return Registered(id=name, outputs=order.inputs)


def _invoke_config(order: Order) -> Registered:
    name, qualifier = order.inputs["functionName"], order.inputs.get("qualifier")
    _lambda(order).put_function_event_invoke_config(
        FunctionName=name,
        **chosen(order.inputs, ("qualifier", "maximumRetryAttempts", "maximumEventAgeInSeconds")),
        **pascal(chosen(order.inputs, ("destinationConfig",))),
    )
    return Registered(id=f"{name}:{qualifier}" if qualifier else name, outputs=order.inputs)


def _delete_invoke_config(session: Session, made: Made) -> None:
    session.client("lambda").delete_function_event_invoke_config(
        FunctionName=made.inputs["functionName"], **chosen(made.inputs, ("qualifier",))
    )


HANDS = {
    "aws:lambda/permission:Permission": Hand(
        create=_permission,
        delete=_delete_permission,
        takes=frozenset({"function", "statementId", "statementIdPrefix", *PERMISSION}),
        named="statementId",
    ),
    "aws:lambda/eventSourceMapping:EventSourceMapping": Hand(
        create=_mapping,
        update=_change_mapping,
        delete=_delete_mapping,
        takes=frozenset({"functionName", "scalingConfig", "destinationConfig", "filterCriteria", *MAPPING}),
        fixed=frozenset({"eventSourceArn"}),
    ),
    "aws:lambda/functionRecursionConfig:FunctionRecursionConfig": put(
        _recursion, takes=frozenset({"functionName", "recursiveLoop"}), fixed=frozenset({"functionName"})
    ),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": put(
        _invoke_config,
        delete=_delete_invoke_config,
        takes=frozenset(
            {"functionName", "qualifier", "maximumRetryAttempts", "maximumEventAgeInSeconds", "destinationConfig"}
        ),
        fixed=frozenset({"functionName", "qualifier"}),
    ),
}
