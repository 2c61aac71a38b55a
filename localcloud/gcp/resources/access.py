"""Service accounts and their roles, all of which are enforced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Order, Resource, ResourceHandler
from localcloud.gcp.iam.bindings import Binding, Clause
from localcloud.gcp.project import Project

UNTOLD = frozenset({"cloudfunctions.googleapis.com"})
"""The services that create their agent and do not tell its address:
https://github.com/terraform-google-modules/terraform-google-project-factory/issues/751"""
ETAG = "BwXhqDRNVRo="
"""Nothing here compares what a policy was when a binding was added."""


def _account(order: Order) -> Registered:
    project: Project = order.session
    account = order.name(key="accountId", limit=30)
    email = project.accounts.create(account)
    return Registered(
        id=f"projects/{project.name}/serviceAccounts/{email}",
        outputs={
            **order.inputs,
            "accountId": account,
            "email": email,
            "member": f"serviceAccount:{email}",
            "name": f"projects/{project.name}/serviceAccounts/{email}",
            "project": project.name,
        },
    )


def _rename_account(order: Order, before: Resource) -> Registered:
    return Registered(id=before.id, outputs={**before.outputs, **order.inputs})


def _delete_account(project: Project, resource: Resource) -> None:
    project.accounts.delete(resource.outputs["email"])


def _agent(order: Order) -> Registered:
    project: Project = order.session
    service = order.inputs["service"]
    email = project.accounts.ask_for_agent(service)
    address = {} if service in UNTOLD else {"email": email, "member": f"serviceAccount:{email}"}
    return Registered(
        id=f"projects/{project.name}/services/{service}",
        outputs={**order.inputs, **address, "project": project.name},
    )


ResourceName = Callable[[Project, Mapping[str, Any]], str]
"""From a project and the inputs of a binding to the resource that it is on."""


def _member(resource_name: ResourceName, *names: str) -> ResourceHandler:
    """Return the handler of a binding: one role for one member on one resource.

    `resource_name` returns the resource, which the inputs in `names` identify.
    """

    def binding(project: Project, inputs: Mapping[str, Any]) -> Binding:
        condition = inputs.get("condition")
        return Binding(
            resource=resource_name(project, inputs),
            role=inputs["role"],
            member=inputs["member"],
            clause=Clause(**{key: str(value) for key, value in condition.items()}) if condition else None,
        )

    def add(order: Order) -> Registered:
        project: Project = order.session
        bound = binding(project, order.inputs)
        project.bindings.add(bound)
        title = bound.clause.title if bound.clause else None
        identity = " ".join(filter(None, (bound.resource, bound.role, bound.member, title)))
        return Registered(id=identity, outputs={**order.inputs, "project": project.name, "etag": ETAG})

    def remove(project: Project, resource: Resource) -> None:
        project.bindings.remove(binding(project, resource.inputs))

    def exists(project: Project, resource: Resource) -> bool:
        return project.bindings.has(binding(project, resource.inputs))

    return ResourceHandler(
        create=add, delete=remove, exists=exists, takes=frozenset({"role", "member", "condition", "project", *names})
    )


def _service(project: Project, inputs: Mapping[str, Any]) -> str:
    name = inputs["name"].rsplit("/", 1)[-1]
    return f"projects/{project.name}/locations/{inputs['location']}/services/{name}"


def _repository(project: Project, inputs: Mapping[str, Any]) -> str:
    name = inputs["repository"].rsplit("/", 1)[-1]
    return f"projects/{project.name}/locations/{inputs['location']}/repositories/{name}"


def _role(order: Order) -> Registered:
    project: Project = order.session
    name = f"projects/{project.name}/roles/{order.inputs['roleId']}"
    project.bindings.define(name, order.inputs["permissions"])
    return Registered(id=name, outputs={**order.inputs, "name": name, "project": project.name})


def _change_role(order: Order, before: Resource) -> Registered:
    order.session.bindings.define(before.id, order.inputs["permissions"])
    return Registered(id=before.id, outputs={**before.outputs, **order.inputs})


def _delete_role(project: Project, resource: Resource) -> None:
    project.bindings.forget(resource.id)


HANDLERS = {
    "gcp:projects/iAMCustomRole:IAMCustomRole": ResourceHandler(
        create=_role,
        update=_change_role,
        delete=_delete_role,
        exists=lambda project, resource: project.bindings.defines(resource.id),
        takes=frozenset({"roleId", "title", "description", "permissions", "project"}),
        fixed=frozenset({"roleId", "project"}),
        named="roleId",
    ),
    "gcp:serviceaccount/account:Account": ResourceHandler(
        create=_account,
        update=_rename_account,
        delete=_delete_account,
        exists=lambda project, resource: project.accounts.has(resource.outputs["email"]),
        takes=frozenset({"accountId", "displayName", "description", "project"}),
        fixed=frozenset({"accountId", "project"}),
        named="accountId",
    ),
    "gcp:serviceaccount/iAMMember:IAMMember": _member(lambda _, inputs: inputs["serviceAccountId"], "serviceAccountId"),
    "gcp:projects/serviceIdentity:ServiceIdentity": ResourceHandler(
        create=_agent, takes=frozenset({"service", "project"})
    ),
    "gcp:storage/bucketIAMMember:BucketIAMMember": _member(
        lambda _, inputs: f"projects/_/buckets/{inputs['bucket']}", "bucket"
    ),
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember": _member(_service, "name", "location"),
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": _member(_repository, "repository", "location"),
    "gcp:pubsub/topicIAMMember:TopicIAMMember": _member(lambda _, inputs: inputs["topic"], "topic"),
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember": _member(
        lambda _, inputs: inputs["subscription"], "subscription"
    ),
    "gcp:projects/iAMMember:IAMMember": _member(lambda _, inputs: f"projects/{inputs['project']}"),
}
