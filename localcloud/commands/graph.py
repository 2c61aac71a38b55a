"""The declared graph, for people and for other programs."""

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
    """The graph as JSON: the same program and settings, the same bytes."""
    document = {
        "format": FORMAT,
        "project": stack.project,
        "stack": stack.name,
        "resources": [
            {
                "urn": one.urn,
                "type": one.type,
                "name": one.name,
                "parent": one.parent,
                "component": not one.custom,
                "depends_on": list(one.depends_on),
                "inputs": one.inputs,
            }
            for one in declared
        ],
        "outputs": outputs,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, sort_keys=True, default=_asset) + "\n", encoding="utf-8")


def tree(title: str, declared: Sequence[Declared]) -> Tree:
    """Resources under the component that made them."""
    root = Tree(title)
    nodes: dict[str, Tree] = {}
    for one in sorted(declared, key=lambda one: (one.urn.count("$"), one.custom, one.type, one.name)):
        above = nodes.get(one.parent, root)
        kind = one.type.split(":")[-1]
        label = f"[bold]{kind}[/bold] {one.name}" if not one.custom else f"{one.name}  [dim]{kind}[/dim]"
        nodes[one.urn] = above.add(label)
    return root


def _asset(value: object) -> object:
    match value:
        case pulumi.AssetArchive():
            return {"archive": sorted(value.assets)}
        case pulumi.FileAsset() | pulumi.FileArchive():
            return {"file": Path(value.path).name, "sha256": digest(value)}
        case _:
            return {"sha256": digest(value)}
