"""APIs, their configurations, and the gateways that serve them."""

from __future__ import annotations

import base64
import json

from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Order, Resource, ResourceHandler
from localcloud.gcp.apigateway.gateway import Config
from localcloud.gcp.apigateway.openapi import paths
from localcloud.gcp.project import Project


def _api(order: Order) -> Registered:
    api = order.inputs["apiId"]
    name = f"projects/{order.session.name}/locations/global/apis/{api}"
    service = f"{api}.apigateway.{order.session.name}.cloud.goog"
    outputs = {**order.inputs, "name": name, "project": order.session.name, "managedService": service}
    return Registered(id=name, outputs=outputs)


def _config(order: Order) -> Registered:
    project: Project = order.session
    config = order.name(key="apiConfigId", limit=50)
    identity = f"projects/{project.name}/locations/global/apis/{order.inputs['api']}/configs/{config}"
    (written,) = order.inputs["openapiDocuments"]
    document = json.loads(base64.b64decode(written["document"]["contents"]))
    paths(document)
    account = order.inputs["gatewayConfig"]["backendConfig"]["googleServiceAccount"]
    project.configs[identity] = Config(document=document, account=account)
    return Registered(
        id=identity, outputs={**order.inputs, "apiConfigId": config, "name": identity, "project": project.name}
    )


def _delete_config(project: Project, resource: Resource) -> None:
    del project.configs[resource.id]


def _gateway(order: Order) -> Registered:
    project: Project = order.session
    identity = project.full_name("gateways", order.inputs["gatewayId"])
    gateway = project.open(identity, project.configs[order.inputs["apiConfig"]])
    outputs = {**order.inputs, "name": identity, "defaultHostname": gateway.host, "project": project.name}
    return Registered(id=identity, outputs=outputs)


def _change_gateway(order: Order, before: Resource) -> Registered:
    project: Project = order.session
    project.gateways[before.id].change(project.configs[order.inputs["apiConfig"]])
    return Registered(id=before.id, outputs={**before.outputs, **order.inputs})


def _delete_gateway(project: Project, resource: Resource) -> None:
    project.gateways.pop(resource.id).close()


HANDLERS = {
    "gcp:apigateway/api:Api": ResourceHandler(create=_api, takes=frozenset({"apiId", "project"}), named="apiId"),
    "gcp:apigateway/apiConfig:ApiConfig": ResourceHandler(
        create=_config,
        delete=_delete_config,
        exists=lambda project, resource: resource.id in project.configs,
        takes=frozenset({"api", "apiConfigId", "apiConfigIdPrefix", "openapiDocuments", "gatewayConfig", "project"}),
        named="apiConfigId",
    ),
    "gcp:apigateway/gateway:Gateway": ResourceHandler(
        create=_gateway,
        update=_change_gateway,
        delete=_delete_gateway,
        exists=lambda project, resource: resource.id in project.gateways,
        takes=frozenset({"apiConfig", "gatewayId", "region", "project"}),
        fixed=frozenset({"gatewayId", "region", "project"}),
        named="gatewayId",
    ),
}
