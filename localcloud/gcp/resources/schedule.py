"""Jobs of Cloud Scheduler."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Order, Resource, ResourceHandler
from localcloud.gcp.project import Project
from localcloud.gcp.resources.queue import seconds
from localcloud.gcp.scheduler.job import JobArgs, RetryConfig, Target

ATTEMPT_SECONDS = 180


def _job(order: Order) -> Registered:
    project: Project = order.session
    name = order.name(limit=500)
    identity = project.full_name("jobs", name)
    project.scheduler.create(_args(identity, order.inputs))
    return Registered(id=identity, outputs={**order.inputs, "name": name, "project": project.name, "state": "ENABLED"})


def _change_job(order: Order, before: Resource) -> Registered:
    order.session.scheduler.create(_args(before.id, order.inputs))
    return Registered(id=before.id, outputs={**before.outputs, **order.inputs})


def _delete_job(project: Project, resource: Resource) -> None:
    project.scheduler.delete(resource.id)


def _args(name: str, inputs: Mapping[str, Any]) -> JobArgs:
    return JobArgs(
        name=name,
        schedule=inputs["schedule"],
        target=_target(inputs["httpTarget"]),
        time_zone=inputs.get("timeZone", "Etc/UTC"),
        retry=_retry(inputs.get("retryConfig", {})),
        attempt_deadline_seconds=seconds(inputs.get("attemptDeadline"), ATTEMPT_SECONDS),
    )


def _target(target: Mapping[str, Any]) -> Target:
    oidc = target.get("oidcToken", {})
    return Target(
        uri=target["uri"],
        method=target.get("httpMethod", "POST"),
        headers=target.get("headers", {}),
        body=base64.b64decode(target.get("body", "")),
        oauth_account=target.get("oauthToken", {}).get("serviceAccountEmail", ""),
        oidc_account=oidc.get("serviceAccountEmail", ""),
        audience=oidc.get("audience", ""),
    )


def _retry(config: Mapping[str, Any]) -> RetryConfig:
    default = RetryConfig()
    return RetryConfig(
        count=config.get("retryCount", default.count),
        max_duration=seconds(config.get("maxRetryDuration"), default.max_duration),
        min_backoff=seconds(config.get("minBackoffDuration"), default.min_backoff),
        max_backoff=seconds(config.get("maxBackoffDuration"), default.max_backoff),
        max_doublings=config.get("maxDoublings", default.max_doublings),
    )


HANDLERS = {
    "gcp:cloudscheduler/job:Job": ResourceHandler(
        create=_job,
        update=_change_job,
        delete=_delete_job,
        exists=lambda project, resource: project.scheduler.has(resource.id),
        takes=frozenset(
            {
                "name",
                "project",
                "region",
                "description",
                "schedule",
                "timeZone",
                "httpTarget",
                "retryConfig",
                "attemptDeadline",
            }
        ),
        fixed=frozenset({"name", "project", "region"}),
    ),
}
