"""The graph of the base, as it is priced: where it was, at the traffic of the head."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from sml.init.stack_file import file_of
from sml.review.documents import read

STATED = "estimate"
"""The output in which a stack says its region, its traffic and its experiments."""


def write_comparable(base: Path, head: Path | None, root: Path, stack: str, target: Path) -> None:
    """Write a graph anew, with the traffic of the head and the region that its own stack file states.

    Else a changed assumption would look like a cost of the change. `head` is None where the head has no such stack.
    """
    graph = dict(read(base))
    outputs = dict(graph.get("outputs") or {})
    told = {"region": _region(root, stack), **(outputs.get(STATED) or {})}
    theirs = {} if head is None else ((read(head).get("outputs") or {}).get(STATED) or {})
    if "traffic" in theirs:
        told["traffic"] = theirs["traffic"]
    target.write_text(json.dumps({**graph, "outputs": {**outputs, STATED: told}}), encoding="utf-8")


def _region(root: Path, stack: str) -> str:
    """Return the region that a stack's file states; nothing where there is none."""
    try:
        found: Any = yaml.safe_load(file_of(root, stack).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return ""
    config = found.get("config") if isinstance(found, Mapping) else None
    regions = [str(value) for key, value in (config or {}).items() if str(key).endswith(":region")]
    return regions[0] if len(regions) == 1 else ""
