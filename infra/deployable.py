"""What may be done with a cloud of a tier: one that can only be previewed is not deployed to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pulumi

from infra.function_table import FunctionSpec
from infra.tier import Tier
from infra.vocabulary import Cloud

ROOT = Path(__file__).resolve().parents[1]


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
    modules = sorted({spec.trigger.adapter.partition(".")[0] for spec in functions})
    needed = [f"functions/adapters/{cloud.name}/{module}.py" for module in modules]
    if cloud.packing.built:
        needed += [f"functions/requirements/{cloud.name}/{spec.lock}.txt" for spec in functions]
    return [path for path in needed if not (root / path).is_file()]
