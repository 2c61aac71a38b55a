"""Service accounts and their roles, all of which are enforced."""

from __future__ import annotations

from collections.abc import Callable

from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Order, Resource, ResourceHandler
from localcloud.gcp.iam.bindings import Binding
from localcloud.gcp.iam.condition import condition
from localcloud.gcp.project import Project

UNTOLD = frozenset({"cloudfunctions.googleapis.com"})
"""The services that create their agent and do not tell its address:
https://github.com/terraform-google-modules/terraform-google-project-factory/issues/751"""


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


def _member(resource_name: Callable[[Order], str], *names: str) -> ResourceHandler:
    """Return the handler of a binding: one role for one member on one resource.

    `resource_name` returns the resource, which the inputs in `names` identify.
    """

    def add(order: Order) -> Registered:
        project: Project = order.session
        inputs, name = order.inputs, resource_name(order)
        clause = inputs.get("condition")
        number = project.bindings.add(
            Binding(
                resource=name,
                role=inputs["role"],
                member=inputs["member"],
                condition=condition(clause["expression"]) if clause else None,
            )
        )
        identity = " ".join(filter(None, (name, inputs["role"], inputs["member"], (clause or {}).get("title"))))
        return Registered(id=identity, outputs={**inputs, "project": project.name, "etag": str(number)})

    def remove(project: Project, resource: Resource) -> None:
        project.bindings.remove(int(resource.outputs["etag"]))

    def exists(project: Project, resource: Resource) -> bool:
        return project.bindings.has(int(resource.outputs["etag"]))

    return ResourceHandler(
        create=add, delete=remove, exists=exists, takes=frozenset({"role", "member", "condition", "project", *names})
    )


def _service(order: Order) -> str:
    inputs = order.inputs
    return f"projects/{order.session.name}/locations/{inputs['location']}/services/{inputs['name'].rsplit('/', 1)[-1]}"


def _repository(order: Order) -> str:
    name, location = order.inputs["repository"].rsplit("/", 1)[-1], order.inputs["location"]
    return f"projects/{order.session.name}/locations/{location}/repositories/{name}"


HANDLERS = {
    "gcp:serviceaccount/account:Account": ResourceHandler(
        create=_account,
        update=_rename_account,
        delete=_delete_account,
        exists=lambda project, resource: project.accounts.has(resource.outputs["email"]),
        takes=frozenset({"accountId", "displayName", "description", "project"}),
        fixed=frozenset({"accountId", "project"}),
        named="accountId",
    ),
    "gcp:serviceaccount/iAMMember:IAMMember": _member(
        lambda order: order.inputs["serviceAccountId"], "serviceAccountId"
    ),
    "gcp:projects/serviceIdentity:ServiceIdentity": ResourceHandler(
        create=_agent, takes=frozenset({"service", "project"})
    ),
    "gcp:storage/bucketIAMMember:BucketIAMMember": _member(
        lambda order: f"projects/_/buckets/{order.inputs['bucket']}", "bucket"
    ),
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember": _member(_service, "name", "location"),
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": _member(_repository, "repository", "location"),
    "gcp:pubsub/topicIAMMember:TopicIAMMember": _member(lambda order: order.inputs["topic"], "topic"),
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember": _member(
        lambda order: order.inputs["subscription"], "subscription"
    ),
    "gcp:projects/iAMMember:IAMMember": _member(lambda order: f"projects/{order.inputs['project']}"),
}
