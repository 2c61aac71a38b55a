"""Topics and subscriptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Order, Resource, ResourceHandler
from localcloud.gcp.project import Project
from localcloud.gcp.pubsub.subscription import WEEK, DeadLetterPolicy, Push, Retry, SubscriptionArgs
from localcloud.gcp.pubsub.transform import Transform

ACK_SECONDS = 10
ATTEMPTS = 5


def _topic(order: Order) -> Registered:
    project: Project = order.session
    name = order.name(limit=255)
    identity = f"projects/{project.name}/topics/{name}"
    project.pubsub.create_topic(identity, _transforms(order.inputs))
    return Registered(id=identity, outputs={**order.inputs, "name": name, "project": project.name})


def _change_topic(order: Order, before: Resource) -> Registered:
    order.session.pubsub.create_topic(before.id, _transforms(order.inputs))
    return Registered(id=before.id, outputs={**before.outputs, **order.inputs})


def _transforms(inputs: Mapping[str, Any]) -> list[Transform]:
    """Return the transforms that are not disabled. Raises `ValueError` for one of another kind than JavaScript."""
    transforms = [each for each in inputs.get("messageTransforms") or [] if not each.get("disabled")]
    if strange := sorted({kind for each in transforms for kind in each} - {"javascriptUdf", "disabled"}):
        raise ValueError(f"messageTransforms: {', '.join(strange)}: not here; accepted: javascriptUdf")
    functions = [each["javascriptUdf"] for each in transforms]
    return [Transform(function_name=each["functionName"], code=each["code"]) for each in functions]


def _delete_topic(project: Project, resource: Resource) -> None:
    project.pubsub.delete_topic(resource.id)


def _subscription(order: Order) -> Registered:
    project: Project = order.session
    name = order.name(limit=255)
    identity = f"projects/{project.name}/subscriptions/{name}"
    project.pubsub.create_subscription(_args(identity, order.inputs))
    return Registered(id=identity, outputs={**order.inputs, "name": name, "project": project.name})


def _change_subscription(order: Order, before: Resource) -> Registered:
    order.session.pubsub.update_subscription(_args(before.id, order.inputs))
    return Registered(id=before.id, outputs={**before.outputs, **order.inputs})


def _delete_subscription(project: Project, resource: Resource) -> None:
    project.pubsub.delete_subscription(resource.id)


def _args(name: str, inputs: Mapping[str, Any]) -> SubscriptionArgs:
    push, retry, dead = inputs.get("pushConfig"), inputs.get("retryPolicy"), inputs.get("deadLetterPolicy")
    return SubscriptionArgs(
        name=name,
        topic=inputs["topic"],
        ack_deadline_seconds=inputs.get("ackDeadlineSeconds", ACK_SECONDS),
        push=_push(push) if push else None,
        retry=_retry(retry) if retry else None,
        dead_letters=(
            DeadLetterPolicy(
                topic=dead["deadLetterTopic"], max_delivery_attempts=dead.get("maxDeliveryAttempts", ATTEMPTS)
            )
            if dead
            else None
        ),
        ordered=bool(inputs.get("enableMessageOrdering")),
        filter=inputs.get("filter", ""),
        retention_seconds=seconds(inputs.get("messageRetentionDuration"), WEEK),
    )


def _push(config: Mapping[str, Any]) -> Push:
    token = config.get("oidcToken", {})
    return Push(
        endpoint=config["pushEndpoint"],
        service_account=token.get("serviceAccountEmail", ""),
        audience=token.get("audience", ""),
    )


def _retry(policy: Mapping[str, Any]) -> Retry:
    default = Retry()
    return Retry(
        minimum=seconds(policy.get("minimumBackoff"), default.minimum),
        maximum=seconds(policy.get("maximumBackoff"), default.maximum),
    )


def seconds(duration: str | None, default: float) -> float:
    """Parse a duration of Google's interfaces, in seconds: `"604800s"`."""
    return float(duration.removesuffix("s")) if duration else default


HANDLERS = {
    "gcp:pubsub/topic:Topic": ResourceHandler(
        create=_topic,
        update=_change_topic,
        delete=_delete_topic,
        exists=lambda project, resource: project.pubsub.has_topic(resource.id),
        takes=frozenset({"name", "project", "messageTransforms"}),
        ignores={"messageRetentionDuration": "stored, nothing can be replayed"},
        fixed=frozenset({"name", "project"}),
    ),
    "gcp:pubsub/subscription:Subscription": ResourceHandler(
        create=_subscription,
        update=_change_subscription,
        delete=_delete_subscription,
        exists=lambda project, resource: project.pubsub.has_subscription(resource.id),
        takes=frozenset(
            {
                "name",
                "project",
                "topic",
                "ackDeadlineSeconds",
                "pushConfig",
                "retryPolicy",
                "deadLetterPolicy",
                "enableMessageOrdering",
                "filter",
                "messageRetentionDuration",
                # No subscription expires here, which is what the program asks for.
                "expirationPolicy",
            }
        ),
        fixed=frozenset({"name", "project", "topic", "filter", "enableMessageOrdering"}),
    ),
}
