"""What the graphs of a stack's settings, before a change and after it, say that an `up` will do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from infra import clouds
from infra.blueprint import draw
from infra.function_spec import FunctionSpec, WorkflowStep
from infra.function_table import FUNCTIONS
from infra.settings import Settings
from tests.changes.difference import Difference, Drawn, Operation
from tests.graph import deploy
from tests.infra.sample import PLATFORM, archive, files

FOLLOWING: Mapping[str, str] = {
    "aws:lambda/alias:Alias": "aws:lambda/function:Function",
    "gcp:apigateway/gateway:Gateway": "gcp:apigateway/apiConfig:ApiConfig",
}
"""By type, the type beside it in its component whose outputs it repeats: when that changes, it is updated.

A graph does not say so: its outputs are symbols, which stay what they are.
"""


def drawn(document: Mapping[str, Any], edited: Mapping[str, int]) -> Drawn:
    """Return the graph of a stack with these settings; `edited` says how often each function's code was."""
    settings = Settings.parse(document, where="Pulumi.test.yaml")
    archives = {spec.name: archive(spec.name, _packed(spec, settings, edited.get(spec.name, 0))) for spec in FUNCTIONS}
    cloud = clouds.find(settings.cloud)
    return Drawn(deploy(lambda: draw(cloud, settings, PLATFORM, archives, files(settings))))


def _packed(spec: FunctionSpec, settings: Settings, edits: int) -> str:
    """Return what decides an archive: the workflow's steps have the models' folders, and no other function has."""
    return f"{edits} {sorted(settings.models) if isinstance(spec.trigger, WorkflowStep) else ''}"


def steps(before: Drawn, after: Drawn) -> dict[str, str]:
    """Return what an `up` will do, as `Ended.steps` has it, with URNs that begin at the types."""
    found = {
        short(step.resource.urn): "delete" if step.operation is Operation.LEAVE else str(step.operation)
        for step in Difference(before=before, after=after).steps
    }
    return {**dict.fromkeys(_following(after, found), "update"), **found}


def short(urn: str) -> str:
    """Return a URN without stack and project."""
    return urn.split("::", 2)[2]


def _following(after: Drawn, found: Mapping[str, str]) -> Iterator[str]:
    changed = {(resource.parent, resource.type) for resource in after.graph if short(resource.urn) in found}
    for resource in after.graph:
        if (resource.parent, FOLLOWING.get(resource.type)) in changed:
            yield short(resource.urn)
