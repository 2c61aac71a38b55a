"""The graphs of the stacks that come with the project, and of others, as `localcloud.commands.graph` writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from infra import clouds
from infra.blueprint import draw
from infra.estimate.bill import Bill
from infra.estimate.document import Stated, bill_of
from infra.estimate.situation import Node
from infra.function_table import FUNCTIONS
from infra.settings import Settings
from localcloud.commands.estimate import priced
from localcloud.engine.stack_file import ROOT, StackFile
from tests.graph import deploy
from tests.infra.sample import PLATFORM, archive, files

STACKS = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))
PLAIN = {"aws": {"cloud": "aws", "models": ["breast_cancer"]}, "gcp": {"cloud": "gcp", "models": ["breast_cancer"]}}
REGIONS = {"aws": "us-east-1", "gcp": "us-central1"}


@cache
def graph(stack: str) -> dict[str, Any]:
    """Return the graph of a stack's file."""
    file = StackFile.read(stack)
    settings = json.loads(file.get("serverless-ml:settings", "{}"))
    return drawn(settings, file.get(f"{settings['cloud']}:region", ""))


def drawn(settings: Mapping[str, Any], region: str | None = None) -> dict[str, Any]:
    """Return the graph of some settings, in the region that prices are written for unless another is named."""
    cloud = clouds.find(settings["cloud"])
    parsed = Settings.parse(settings, where="Pulumi.test.yaml")
    archives = {spec.name: archive(spec.name) for spec in FUNCTIONS}
    found = deploy(
        lambda: draw(cloud, parsed, PLATFORM, archives, files(parsed)),
        config={f"{cloud.name}:region": region or REGIONS[cloud.name]},
    )
    return {
        "format": 1,
        "project": "serverless-ml",
        "stack": "test",
        "resources": [
            {"type": r.type, "name": r.name, "parent": r.parent, "component": r.component, "inputs": r.inputs}
            for r in found
        ],
        "outputs": found.returned,
    }


@cache
def _plain(cloud: str, text: str) -> dict[str, Any]:
    return drawn({**PLAIN[cloud], **json.loads(text)})


def plain(cloud: str, **settings: Any) -> dict[str, Any]:
    """Return the graph of the smallest stack with some settings."""
    return _plain(cloud, json.dumps(settings, sort_keys=True))


def bill(cloud: str, traffic: Mapping[str, Any] | None = None, **settings: Any) -> Bill:
    """Return the bill of the smallest stack with some settings, under some traffic."""
    found = plain(cloud, **settings)
    nodes = [
        Node(type=r["type"], name=r["name"], parent=r["parent"], inputs=r["inputs"])
        for r in found["resources"]
        if not r["component"]
    ]
    told = found["outputs"]["estimate"]
    stated = Stated(region=told["region"], traffic=traffic or {}, experiments=told["experiments"])
    made = bill_of(nodes, clouds.find(cloud), stated)
    assert made is not None
    return made


def estimate(cloud: str, traffic: Mapping[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    """Return the document of the smallest stack with some settings."""
    return priced(plain(cloud, **settings), traffic=traffic)
