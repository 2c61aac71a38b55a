"""The graph of declared resources, as a tree for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi
from rich.tree import Tree

from localcloud.engine.fingerprint import digest
from localcloud.engine.program import Declared
from localcloud.engine.stack_file import StackFile

FORMAT = 1


def write(path: Path, stack: StackFile, declared: Sequence[Declared], outputs: Mapping[str, Any]) -> None:
    """Write the graph as JSON. The same program and settings give the same bytes."""
    document = {
        "format": FORMAT,
        "project": stack.project,
        "stack": stack.name,
        "resources": [
            {
                "urn": resource.urn,
                "type": resource.type,
                "name": resource.name,
                "parent": resource.parent,
                "component": not resource.custom,
                "depends_on": list(resource.depends_on),
                "inputs": resource.inputs,
            }
            for resource in declared
        ],
        "outputs": outputs,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, sort_keys=True, default=_asset) + "\n", encoding="utf-8")


def tree(title: str, declared: Sequence[Declared]) -> Tree:
    """Return a tree with each resource below the component that declares it."""
    root = Tree(title)
    nodes: dict[str, Tree] = {}
    for resource in sorted(
        declared, key=lambda resource: (resource.urn.count("$"), resource.custom, resource.type, resource.name)
    ):
        parent = nodes.get(resource.parent, root)
        kind = resource.type.split(":")[-1]
        label = f"[bold]{kind}[/bold] {resource.name}" if not resource.custom else f"{resource.name}  [dim]{kind}[/dim]"
        nodes[resource.urn] = parent.add(label)
    return root


def _asset(value: object) -> object:
    match value:
        case pulumi.AssetArchive():
            return {"archive": sorted(value.assets)}
        case pulumi.FileAsset() | pulumi.FileArchive():
            return {"file": Path(value.path).name, "sha256": digest(value)}
        case _:
            return {"sha256": digest(value)}
