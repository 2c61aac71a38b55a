"""What may be done with a cloud of a tier: what it promises to have is there, and a preview is not deployed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pulumi

from infra.function_spec import FunctionSpec
from infra.sources import ROOT, module
from infra.tier import Tier
from infra.vocabulary import Cloud


def require_adapters(cloud: Cloud, functions: Sequence[FunctionSpec], root: Path = ROOT) -> None:
    """Refuse a function whose kind of trigger has no adapter on a cloud that promises one.

    Raise `pulumi.RunError` that names the function, its trigger and the file.
    """
    if not cloud.tier.includes(Tier.DEPLOYABLE):
        return
    for spec in functions:
        path, _, adapt = _adapter(cloud, spec).partition(":")
        found = module(root / path, root).functions if (root / path).is_file() else None
        if found is None or adapt not in found:
            missing = "is missing" if found is None else f"has no function {adapt}"
            raise pulumi.RunError(
                f"infra/function_table.py: {spec.name}: trigger: {type(spec.trigger).__name__} has no adapter on"
                f" {cloud.name}: {path} {missing}; accepted: on a cloud of tier {cloud.tier.value} one for each trigger"
            )


def require_deployable(cloud: Cloud, functions: Sequence[FunctionSpec], root: Path = ROOT) -> None:
    """Refuse to deploy to a cloud that can only be previewed.

    Raise `pulumi.RunError` that names the tier and what the cloud lacks for `functions`.
    """
    if cloud.tier.includes(Tier.DEPLOYABLE):
        return
    missing = _missing(cloud, functions, root) or [f"tier=Tier.DEPLOYABLE in infra/{cloud.name}/__init__.py"]
    raise pulumi.RunError(
        f"cloud: {cloud.name} is of tier {cloud.tier.value}, so a stack on it can be previewed and not deployed; "
        f"missing: {', '.join(missing)}"
    )


def _missing(cloud: Cloud, functions: Sequence[FunctionSpec], root: Path) -> list[str]:
    needed = sorted({_adapter(cloud, spec).partition(":")[0] for spec in functions})
    if cloud.packing.built:
        needed += [f"functions/requirements/{cloud.name}/{spec.lock}.txt" for spec in functions]
    return [path for path in needed if not (root / path).is_file()]


def _adapter(cloud: Cloud, spec: FunctionSpec) -> str:
    """Return the file of the adapter for a function's trigger, and the function in it: `file:function`."""
    name, _, adapt = spec.trigger.adapter.partition(".")
    return f"functions/adapters/{cloud.name}/{name}.py:{adapt}"
