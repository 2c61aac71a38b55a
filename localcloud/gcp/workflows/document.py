"""Parses the source of a workflow. What is not implemented is refused, never skipped.

https://cloud.google.com/workflows/docs/reference/syntax. A document that the service would
accept and that can only fail at run time is refused, too: a jump to a missing step, a variable
that is never assigned, a parallel branch that changes a variable it does not share.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from localcloud.gcp.workflows.actions import Actions
from localcloud.gcp.workflows.errors import Refused
from localcloud.gcp.workflows.steps import Document, Routine

LARGEST = 128 * 1024
"""The largest source, in bytes. https://cloud.google.com/workflows/quotas#resource_limit"""
MAX_PARAMS = 10


def read(source: str) -> Document:
    """Parse a source in YAML or JSON. Raises `Refused`, which describes the first wrong step."""
    if len(source.encode()) > LARGEST:
        raise Refused(f"the source has {len(source.encode())} bytes; accepted: {LARGEST}")
    try:
        document = yaml.safe_load(source)
    except yaml.YAMLError as problem:
        raise Refused(f"the source is neither YAML nor JSON: {problem}") from None
    if isinstance(document, list):
        document = {"main": {"steps": document}}
    if not isinstance(document, dict) or "main" not in document:
        raise Refused("a workflow is a list of steps, or a map with main and its subworkflows")
    names = frozenset(document)
    routines = {name: _routine(name, body, names - {"main"}) for name, body in document.items()}
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
    if len(params) > MAX_PARAMS:
        raise Refused(f"{name}: {len(params)} params; accepted: {MAX_PARAMS}")
    actions = Actions(name, params, subworkflows)
    block = actions.block(body["steps"], f"{name}")
    actions.finish()
    return Routine(name=name, params=tuple(params), defaults=defaults, body=block)
