"""Functions of Cloud Run functions (second generation)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Order, Resource, ResourceHandler
from localcloud.gcp.cloudrun.build import Build
from localcloud.gcp.cloudrun.functions import FunctionArgs
from localcloud.gcp.cloudrun.instance import Size
from localcloud.gcp.cloudrun.quotas import brought, require
from localcloud.gcp.project import Project

TIMEOUT_SECONDS = 60
INSTANCES = 100
DEFAULT_MEMORY = "256Mi"
IGNORES = {
    "buildConfig.runtime": "this machine's own interpreter",
    "serviceConfig.availableMemory": "enforced only where the variable ENFORCE_SIZE asks for it",
    "serviceConfig.availableCpu": "this machine's own",
    "serviceConfig.ingressSettings": "whoever calls is on this machine",
}


def _repository(order: Order) -> Registered:
    name = order.inputs["repositoryId"]
    identity = f"projects/{order.session.name}/locations/{order.inputs['location']}/repositories/{name}"
    return Registered(id=identity, outputs={**order.inputs, "name": name, "project": order.session.name})


def _function(order: Order) -> Registered:
    project: Project = order.session
    name = order.name(limit=63)
    url = project.functions.create(_args(project, name, order.inputs))
    return Registered(
        id=f"projects/{project.name}/locations/{project.region}/functions/{name}", outputs=_outputs(order, name, url)
    )


def _change_function(order: Order, before: Resource) -> Registered:
    project: Project = order.session
    name = before.outputs["name"]
    project.functions.change(_args(project, name, order.inputs))
    return Registered(id=before.id, outputs=_outputs(order, name, before.outputs["url"]))


def _delete_function(project: Project, resource: Resource) -> None:
    project.functions.delete(resource.outputs["name"])


def _outputs(order: Order, name: str, url: str) -> dict[str, Any]:
    project: Project = order.session
    service = {**order.inputs["serviceConfig"], "uri": url, "service": project.full_name("services", name)}
    return {
        **order.inputs,
        "name": name,
        "project": project.name,
        "url": url,
        "state": "ACTIVE",
        "environment": "GEN_2",
        "serviceConfig": service,
    }


def _args(project: Project, name: str, inputs: Mapping[str, Any]) -> FunctionArgs:
    service = inputs["serviceConfig"]
    if inputs["buildConfig"]["entryPoint"] != "handle":
        raise ValueError(f"entry point {inputs['buildConfig']['entryPoint']}: handle is what is run here")
    instances = int(service.get("maxInstanceCount", INSTANCES))
    memory = int(service.get("availableMemory", DEFAULT_MEMORY).removesuffix("Mi"))
    cpu = service.get("availableCpu")
    require(project.quotas, service=name, instances=instances, memory_mib=memory, cpu=cpu)
    return FunctionArgs(
        name=name,
        build=_build(project, name, inputs["buildConfig"]),
        variables={key: str(value) for key, value in service.get("environmentVariables", {}).items()},
        account=service["serviceAccountEmail"],
        timeout_seconds=service.get("timeoutSeconds", TIMEOUT_SECONDS),
        max_instances=instances,
        concurrency=service.get("maxInstanceRequestConcurrency", 1),
        min_instances=service.get("minInstanceCount", 0),
        size=Size(memory_mb=memory, processors=brought(memory) / 1000 if cpu is None else float(cpu)),
    )


def _build(project: Project, name: str, config: Mapping[str, Any]) -> Build:
    """Return the build of the archive in a bucket. Raises `CloudFailed` where the cloud would refuse to build it."""
    project.build_permissions.check(name, config.get("serviceAccount"), config.get("dockerRepository"))
    source = config["source"]["storageSource"]
    archive = project.storage.objects(source["bucket"], project.owner).get(source["object"])
    return project.builds.of(source["object"].rsplit("/", 1)[-1], archive)


HANDLERS = {
    "gcp:artifactregistry/repository:Repository": ResourceHandler(
        create=_repository,
        takes=frozenset({"repositoryId", "location", "project", "format"}),
        ignores={"cleanupPolicies": "stored, a build here leaves no image"},
        fixed=frozenset({"repositoryId", "location", "project", "format"}),
        named="repositoryId",
    ),
    "gcp:cloudfunctionsv2/function:Function": ResourceHandler(
        create=_function,
        update=_change_function,
        delete=_delete_function,
        exists=lambda project, resource: project.functions.has(resource.outputs["name"]),
        takes=frozenset({"name", "project", "location", "description", "buildConfig", "serviceConfig"}),
        ignores=IGNORES,
        fixed=frozenset({"name", "project", "location"}),
    ),
}
