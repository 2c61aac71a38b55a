"""Workflows."""

from __future__ import annotations

from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Order, Resource, ResourceHandler
from localcloud.gcp.project import Project


def _workflow(order: Order) -> Registered:
    project: Project = order.session
    name = order.name(limit=64)
    return _deploy(order, project.full_name("workflows", name), name)


def _change_workflow(order: Order, before: Resource) -> Registered:
    return _deploy(order, before.id, before.outputs["name"])


def _deploy(order: Order, identity: str, name: str) -> Registered:
    project: Project = order.session
    if not project.accounts.exists(project.accounts.agent("workflows.googleapis.com")):
        raise ValueError(f"{identity}: Workflows service agent does not exist")
    variables = {key: str(value) for key, value in order.inputs.get("userEnvVars", {}).items()}
    revision = project.workflows.deploy(
        identity, order.inputs["sourceContents"], order.inputs["serviceAccount"], variables
    )
    computed = {"name": name, "project": project.name, "revisionId": revision, "state": "ACTIVE"}
    return Registered(id=identity, outputs={**order.inputs, **computed})


def _delete_workflow(project: Project, resource: Resource) -> None:
    project.workflows.delete(resource.id)


HANDLERS = {
    "gcp:workflows/workflow:Workflow": ResourceHandler(
        create=_workflow,
        update=_change_workflow,
        delete=_delete_workflow,
        exists=lambda project, resource: project.workflows.has(resource.id),
        renews=frozenset({"revisionId"}),
        takes=frozenset(
            {
                "name",
                "namePrefix",
                "project",
                "region",
                "description",
                "sourceContents",
                "serviceAccount",
                "userEnvVars",
                # A stack that ends with its process is not protected.
                "deletionProtection",
            }
        ),
        ignores={"callLogLevel": "executions are kept, and calls are not logged"},
        fixed=frozenset({"name", "namePrefix", "project", "region"}),
    ),
}
