"""What a graph costs and emits: the estimate of a file that a preview wrote, of this commit or an older one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pulumi

from infra.clouds import find, names
from infra.estimate.document import document, stated_by
from infra.estimate.stated import experiments
from localcloud.commands import graph as graphs
from localcloud.commands.estimate_lines import lines
from localcloud.commands.progress import Progress
from models.section import names as models


def main(progress: Progress, graph: Path, state: Path, region: str, *, as_json: bool) -> int:
    """Print the estimate of a graph, in lines or as JSON. Raise `pulumi.RunError` for a file that is none."""
    del state
    found = priced(_read(graph), region=region)
    if as_json:
        print(json.dumps(found, indent=1, sort_keys=True))
        return 0
    for line in lines(found):
        progress.plain(line)
    return 0


def priced(
    graph: Mapping[str, Any], *, region: str = "", traffic: Mapping[str, Any] | None = None, today: date | None = None
) -> dict[str, Any]:
    """Return the estimate of a graph as JSON: `infra.estimate.document` says its shape.

    Region, traffic and experiments are those that the graph's outputs state. `region`, and `traffic` as in the
    settings, are taken in their place: two graphs can only be compared under the same.
    """
    cloud = _cloud(graph)
    stated = stated_by(graph, experiments(models()))
    stated = replace(stated, region=region or stated.region, traffic=stated.traffic if traffic is None else traffic)
    return document(graph, find(cloud), stated, today or datetime.now(UTC).date())


def _read(path: Path) -> dict[str, Any]:
    where = f"{path}: is no graph of a stack; accepted: a file that `make preview STACK=<stack>` wrote"
    try:
        graph = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise pulumi.RunError(f"{path}: {error.strerror}; `make preview STACK=<stack>` writes one") from None
    except ValueError:
        raise pulumi.RunError(where) from None
    if not isinstance(graph, dict) or graph.get("format") != graphs.FORMAT or "resources" not in graph:
        raise pulumi.RunError(where)
    return graph


def _cloud(graph: Mapping[str, Any]) -> str:
    """Return the cloud that a graph's components are of. Raise `pulumi.RunError` for one of none that is known."""
    parts = [resource["type"].split(":") for resource in graph["resources"] if resource.get("component")]
    found = [part[1] for part in parts if len(part) > 1 and part[1] in names()]
    if not found:
        raise pulumi.RunError(f"the graph has no component of a cloud; known: {', '.join(names())}")
    return found[0]
