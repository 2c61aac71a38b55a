"""The graph of declared resources, as a tree for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi
from rich.tree import Tree

from localcloud.commands.progress import Progress
from localcloud.engine.fingerprint import digest
from localcloud.engine.program import Declared, evaluate
from localcloud.engine.recorder import Recorder
from localcloud.engine.stack_file import ROOT, StackFile

FORMAT = 1


def declare(progress: Progress, stack: StackFile) -> tuple[list[Declared], dict[str, Any]]:
    """Evaluate the program for a stack and create nothing; return its resources and its outputs.

    Raises `pulumi.RunError` for a program or settings that could not be deployed.
    """
    recorder = Recorder()
    with progress.step("evaluate") as step:
        step.say("building the functions' archives")
        outputs = evaluate(stack, recorder, ROOT / "infra", dry_run=True)
        resources = [resource for resource in recorder.declared if resource.custom]
        components = len(recorder.declared) - len(resources)
        step.text = f"{len(resources)} resources in {components} components"
    return recorder.declared, outputs


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
