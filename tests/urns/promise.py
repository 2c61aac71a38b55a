"""What an upgrade must keep of the resources of a stack, and what a graph breaks of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from infra import clouds, function_checks
from infra.blueprint import draw
from infra.function_table import FUNCTIONS
from infra.settings import Settings
from localcloud.engine.stack_file import StackFile
from tests.graph import Graph, Resource, deploy
from tests.infra.sample import PLATFORM, archive, files
from tests.root import ROOT
from tests.urns.names import names

Promise = dict[str, dict[str, Any]]
"""For each key of tests/urns/names.py: {}, or why it may not be replaced, and what must stay for that."""

FOLDER: Final = ROOT / "tests" / "urns"
STACKS: Final = tuple(sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml")))
DATA, KNOWN, LOGS = "holds data", "is known outside", "holds logs"
WAY_OUT: Final = "an alias on what took its place keeps it, or CHANGELOG.md names it under Breaking"
LASTING: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "aws:s3/bucket:Bucket": (DATA, ("bucket", "bucketPrefix", "bucketNamespace", "objectLockEnabled", "region")),
    "aws:sqs/queue:Queue": (DATA, ("name", "namePrefix", "fifoQueue", "region")),
    "aws:cloudwatch/logGroup:LogGroup": (LOGS, ("name", "namePrefix", "logGroupClass", "region")),
    "aws:apigatewayv2/api:Api": (KNOWN, ("protocolType", "region")),
    "aws:apigatewayv2/stage:Stage": (KNOWN, ("name", "region")),
    "aws:sfn/stateMachine:StateMachine": (KNOWN, ("name", "namePrefix", "type", "region")),
    "gcp:storage/bucket:Bucket": (
        DATA,
        ("name", "location", "project", "customPlacementConfig", "enableObjectRetention", "hierarchicalNamespace"),
    ),
    "gcp:pubsub/topic:Topic": (DATA, ("name", "project", "tags")),
    "gcp:pubsub/subscription:Subscription": (
        DATA,
        ("name", "project", "topic", "filter", "enableMessageOrdering", "tags"),
    ),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": (LOGS, ("bucketId", "location", "project")),
    "gcp:apigateway/api:Api": (KNOWN, ("apiId", "managedService", "project")),
    "gcp:apigateway/gateway:Gateway": (KNOWN, ("gatewayId", "region", "project")),
    "gcp:serviceaccount/account:Account": (KNOWN, ("accountId", "project")),
    "gcp:workflows/workflow:Workflow": (KNOWN, ("name", "namePrefix", "region", "project", "tags")),
}
"""By type: why it may not be replaced, and the inputs of pulumi-aws 7 and pulumi-gcp 10 that replace it.

A service account of GCP is in bindings outside of the stack: `callers` is one, and whoever shares a bucket names one.
"""


def graph(stack: str) -> Graph:
    """Evaluate the program for a stack's own settings, without building the functions' archives."""
    function_checks.require(FUNCTIONS)
    file = StackFile.read(stack)
    settings = Settings.parse(json.loads(file.get("serverless-ml:settings", "{}")), where=f"Pulumi.{stack}.yaml")
    archives = {spec.name: archive(spec.name) for spec in FUNCTIONS}
    return deploy(
        lambda: draw(clouds.find(settings.cloud), settings, PLATFORM, archives, files(settings)),
        config=file.config,
        stack=stack,
    )


def promise(declared: Graph) -> Promise:
    """Return what the resources of a graph promise from now on."""
    known = names(declared)
    return {
        key: _entry(resource) for key, resource in sorted((known[resource.urn][0], resource) for resource in declared)
    }


def _entry(resource: Resource) -> dict[str, Any]:
    if resource.type not in LASTING:
        return {}
    why, inputs = LASTING[resource.type]
    values = {name: resource.inputs[name] for name in inputs if resource.inputs.get(name) is not None}
    return {"why": why, **({"protect": True} if resource.protect else {}), **({"inputs": values} if values else {})}


def given_up(changelog: str) -> frozenset[str]:
    """Return the keys that the section Breaking of what is not released yet names, each in backticks."""
    released = re.search(r"^## \[Unreleased\]$(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    section = released and re.search(r"^### Breaking$(.*?)(?=^##|\Z)", released[1], re.MULTILINE | re.DOTALL)
    return frozenset(re.findall(r"`([^`]+::[^`]+)`", section[1])) if section else frozenset()


def lost(promised: Promise, declared: Graph, broken: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield a sentence for each thing of a promise that the graph breaks, unless its key is in `broken`."""
    known = names(declared)
    owners = {key: resource for resource in declared for key in known[resource.urn]}
    for key, entry in promised.items():
        if key in broken:
            continue
        if key not in owners:
            yield f"{key}: is gone, and would be deleted; {WAY_OUT}"
        elif entry:
            yield from (f"{key} {entry['why']}: {change}" for change in _changes(key, entry, owners[key]))


def _changes(key: str, entry: Mapping[str, Any], resource: Resource) -> Iterator[str]:
    type_ = key.partition("::")[0].rpartition("$")[2]
    if resource.type != type_:
        yield f"is of the type {resource.type} now, and would be replaced"
    before = entry.get("inputs", {})
    for name in LASTING[type_][1]:
        if resource.inputs.get(name) != before.get(name):
            yield f"{name} was {before.get(name)!r} and is {resource.inputs.get(name)!r}: it would be replaced"
    if entry.get("protect") and not resource.protect:
        yield "is protected no longer"


def renewed(promised: Promise, declared: Graph, broken: frozenset[str]) -> Promise:
    """Return a promise with what is new or newly protected, and what the graph now says of the keys in `broken`."""
    now = promise(declared)
    kept = {key: entry for key, entry in promised.items() if key not in broken}
    protected = {key: {**entry, "protect": True} for key, entry in kept.items() if now.get(key, {}).get("protect")}
    return {**now, **kept, **protected}


def unlisted(promised: Promise, declared: Graph) -> list[str]:
    """Return the keys of resources that no promise was made for."""
    return sorted(set(promise(declared)) - set(promised))


def read(stack: str) -> Promise:
    """Return the committed promise of a stack; an empty one if the stack is new."""
    path = FOLDER / f"{stack}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def write(stack: str, promised: Promise) -> None:
    """Write a promise to `tests/urns/<stack>.json`, one resource a line."""
    lines = [f"  {json.dumps(key)}: {json.dumps(entry)}" for key, entry in sorted(promised.items())]
    (FOLDER / f"{stack}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
