"""Notifications of buckets, and triggers: what a new object starts."""

from __future__ import annotations

from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Order, Resource, ResourceHandler
from localcloud.gcp.eventarc.notifications import EVENT_TYPES, Notification
from localcloud.gcp.eventarc.triggers import TYPE, Trigger
from localcloud.gcp.project import Project


def _notification(order: Order) -> Registered:
    project: Project = order.session
    inputs = order.inputs
    number = project.notifications.create(
        Notification(
            bucket=inputs["bucket"],
            topic=inputs["topic"],
            prefix=inputs.get("objectNamePrefix", ""),
            event_types=frozenset(inputs.get("eventTypes", EVENT_TYPES)),
            payload_format=inputs["payloadFormat"],
            attributes=inputs.get("customAttributes", {}),
        )
    )
    return Registered(
        id=f"{inputs['bucket']}/notificationConfigs/{number}", outputs={**inputs, "notificationId": number}
    )


def _delete_notification(project: Project, resource: Resource) -> None:
    project.notifications.delete(resource.inputs["bucket"], resource.outputs["notificationId"])


def _trigger(order: Order) -> Registered:
    project: Project = order.session
    inputs = order.inputs
    criteria = {one["attribute"]: one["value"] for one in inputs["matchingCriterias"]}
    if criteria != {"type": TYPE}:
        raise ValueError(f"a trigger on {criteria} cannot be made here; accepted: type {TYPE}")
    identity = project.full_name("triggers", order.name(limit=63))
    project.triggers.create(
        Trigger(
            name=identity,
            topic=inputs["transport"]["pubsub"]["topic"],
            workflow=inputs["destination"]["workflow"],
            service_account=inputs["serviceAccount"],
        )
    )
    return Registered(id=identity, outputs={**inputs, "name": identity.rsplit("/", 1)[-1], "project": project.name})


def _delete_trigger(project: Project, resource: Resource) -> None:
    project.triggers.delete(resource.id)


HANDLERS = {
    "gcp:storage/notification:Notification": ResourceHandler(
        create=_notification,
        delete=_delete_notification,
        exists=lambda project, resource: project.notifications.has(
            resource.inputs["bucket"], resource.outputs["notificationId"]
        ),
        takes=frozenset({"bucket", "topic", "objectNamePrefix", "eventTypes", "payloadFormat", "customAttributes"}),
    ),
    "gcp:eventarc/trigger:Trigger": ResourceHandler(
        create=_trigger,
        delete=_delete_trigger,
        exists=lambda project, resource: project.triggers.has(resource.id),
        takes=frozenset(
            {"name", "project", "location", "matchingCriterias", "transport", "destination", "serviceAccount"}
        ),
    ),
}
