"""Buckets and objects."""

from __future__ import annotations

import json
from urllib.parse import quote

from localcloud.engine.fingerprint import content
from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Order, Resource, ResourceHandler, put
from localcloud.gcp.project import Project
from localcloud.support.http_client import Upstream
from localcloud.support.http_server import Response


def _bucket(order: Order) -> Registered:
    project: Project = order.session
    name = order.name(limit=63)
    project.storage.create(name)
    return Registered(id=name, outputs={**order.inputs, "name": name, "project": project.name, "url": f"gs://{name}"})


def _change_bucket(order: Order, before: Resource) -> Registered:
    return Registered(id=before.id, outputs={**before.outputs, **order.inputs})


def _delete_bucket(project: Project, resource: Resource) -> None:
    project.storage.remove(resource.id)


def _object(order: Order) -> Registered:
    project: Project = order.session
    bucket, name = order.inputs["bucket"], order.inputs["name"]
    source = order.inputs.get("source")
    data = order.inputs.get("content", "").encode() if source is None else content(source)
    project.storage.objects(bucket, project.owner).put(name, data)
    return Registered(
        id=f"{bucket}-{name}",
        outputs={
            **{key: value for key, value in order.inputs.items() if key != "source"},
            "outputName": name,
            "generation": _generation(project, bucket, name),
        },
    )


def _delete_object(project: Project, resource: Resource) -> None:
    _send(project, "DELETE", resource.inputs["bucket"], resource.inputs["name"])


def _generation(project: Project, bucket: str, name: str) -> int:
    """Return the generation of an object, which is another one each time it is written."""
    return int(json.loads(_send(project, "GET", bucket, name).body)["generation"])


def _send(project: Project, method: str, bucket: str, name: str) -> Response:
    storage = Upstream(project.storage.url)
    try:
        path = f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}"
        return storage.send(method, path, b"", {"Authorization": f"Bearer {project.owner}"})
    finally:
        storage.close()


HANDLERS = {
    "gcp:storage/bucket:Bucket": ResourceHandler(
        create=_bucket,
        update=_change_bucket,
        delete=_delete_bucket,
        exists=lambda project, resource: project.storage.has(resource.id),
        # Every bucket here keeps old versions of its objects, and admits only callers with a role on it.
        takes=frozenset(
            {"name", "location", "project", "uniformBucketLevelAccess", "publicAccessPrevention", "versioning"}
        ),
        ignores={
            "softDeletePolicy": "stored, what is deleted is gone",
            "lifecycleRules": "stored, objects stay until the stack goes",
        },
        fixed=frozenset({"name", "location", "project"}),
    ),
    "gcp:storage/bucketObject:BucketObject": put(
        _object,
        delete=_delete_object,
        exists=lambda project, resource: project.storage.has(resource.inputs["bucket"], resource.inputs["name"]),
        renews=frozenset({"generation"}),
        takes=frozenset({"bucket", "name", "source", "content", "contentType", "sourceMd5hash"}),
        fixed=frozenset({"bucket", "name"}),
    ),
}
