"""From the source of a workflow to its steps. What is not understood is refused, never skipped.

https://cloud.google.com/workflows/docs/reference/syntax. Where the service would fail at run
time and the document alone shows it, it is refused here: a jump to nowhere, a variable that is
never assigned, a parallel branch that changes a variable it does not share.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from localcloud.gcp.workflows.actions import Actions
from localcloud.gcp.workflows.errors import Refused
from localcloud.gcp.workflows.steps import Document, Routine

LARGEST = 128 * 1024
"""Bytes. https://cloud.google.com/workflows/quotas#resource_limit"""
MOST_PARAMS = 10


def read(source: str) -> Document:
    """Raises `Refused` with everything that is wrong with the first wrong step."""
    if len(source.encode()) > LARGEST:
        raise Refused(f"the source has {len(source.encode())} bytes; accepted: {LARGEST}")
    try:
        found = yaml.safe_load(source)
    except yaml.YAMLError as problem:
        raise Refused(f"the source is neither YAML nor JSON: {problem}") from None
    if isinstance(found, list):
        found = {"main": {"steps": found}}
    if not isinstance(found, dict) or "main" not in found:
        raise Refused("a workflow is a list of steps, or a map with main and its subworkflows")
    names = frozenset(found)
    routines = {name: _routine(name, body, names - {"main"}) for name, body in found.items()}
    main = routines.pop("main")
    if len(main.params) > 1:
        raise Refused(f"main: {len(main.params)} params; accepted: one, which is the whole argument")
    return Document(main=main, subworkflows=routines)


def _routine(name: str, body: Any, subworkflows: frozenset[str]) -> Routine:
    if not isinstance(body, Mapping) or not {"steps"} <= set(body) <= {"steps", "params"}:
        raise Refused(f"{name}: accepted: params and steps")
    params: list[str] = []
    defaults: dict[str, Any] = {}
    for param in body.get("params") or []:
        named = dict(param) if isinstance(param, Mapping) else {}
        defaults |= named
        params += [str(key) for key in named] or [str(param)]
    if len(params) > MOST_PARAMS:
        raise Refused(f"{name}: {len(params)} params; accepted: {MOST_PARAMS}")
    actions = Actions(name, params, subworkflows)
    block = actions.block(body["steps"], f"{name}")
    actions.finish()
    return Routine(name=name, params=tuple(params), defaults=defaults, body=block)
