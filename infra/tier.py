"""The tiers of clouds, and what may be done with a cloud of each."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import pulumi

if TYPE_CHECKING:
    from infra.function_table import FunctionSpec
    from infra.vocabulary import Cloud

ROOT = Path(__file__).resolve().parents[1]


class Tier(Enum):
    """What a cloud promises; each tier promises what those before it do. docs/add-a-cloud.md says what each needs."""

    PREVIEW = "preview"
    """Its folder renders the whole graph, which its rules and limits are checked against."""
    DEPLOYABLE = "deployable"
    """Its functions exist: their adapters, and the archives that are uploaded for them."""
    EMBEDDED = "embedded"
    """The same program runs in an embedded cloud on one machine."""

    def includes(self, other: Tier) -> bool:
        """Return whether a cloud of this tier keeps everything that `other` promises."""
        order = list(Tier)
        return order.index(self) >= order.index(other)


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
