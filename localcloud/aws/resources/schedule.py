"""Schedules and their groups."""

from __future__ import annotations

from typing import Any

from localcloud.aws.api_parameters import pascal, select
from localcloud.aws.existence import asks, identity, of
from localcloud.aws.session import Session
from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Order, Resource, ResourceHandler

SCHEDULE = ("scheduleExpression", "scheduleExpressionTimezone", "description", "groupName", "state")


def _scheduled(order: Order) -> dict[str, Any]:
    return {
        **select(order.inputs, SCHEDULE),
        "FlexibleTimeWindow": pascal(order.inputs["flexibleTimeWindow"]),
        "Target": pascal(order.inputs["target"]),
    }


def _schedule(order: Order) -> Registered:
    name = order.name()
    arn = order.session.client("scheduler").create_schedule(Name=name, **_scheduled(order))["ScheduleArn"]
    return Registered(
        id=f"{order.inputs.get('groupName', 'default')}/{name}", outputs={**order.inputs, "name": name, "arn": arn}
    )


def _change_schedule(order: Order, before: Resource) -> Registered:
    order.session.client("scheduler").update_schedule(Name=before.outputs["name"], **_scheduled(order))
    return Registered(id=before.id, outputs={**before.outputs, **order.inputs})


def _delete_schedule(session: Session, resource: Resource) -> None:
    session.client("scheduler").delete_schedule(
        Name=resource.outputs["name"], **select(resource.inputs, ("groupName",))
    )


def _group(order: Order) -> Registered:
    name = order.name()
    arn = order.session.client("scheduler").create_schedule_group(Name=name)["ScheduleGroupArn"]
    return Registered(id=name, outputs={**order.inputs, "name": name, "arn": arn})


def _delete_group(session: Session, resource: Resource) -> None:
    session.client("scheduler").delete_schedule_group(Name=resource.id)


HANDLERS = {
    "aws:scheduler/schedule:Schedule": ResourceHandler(
        create=_schedule,
        update=_change_schedule,
        delete=_delete_schedule,
        exists=asks("scheduler", "get_schedule", {"Name": of("name"), "GroupName": of("groupName")}),
        takes=frozenset({"name", "namePrefix", "flexibleTimeWindow", "target", *SCHEDULE}),
        fixed=frozenset({"name", "namePrefix", "groupName"}),
    ),
    "aws:scheduler/scheduleGroup:ScheduleGroup": ResourceHandler(
        create=_group,
        delete=_delete_group,
        exists=asks("scheduler", "get_schedule_group", {"Name": identity}),
        takes=frozenset({"name", "namePrefix"}),
    ),
}
