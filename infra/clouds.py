"""The clouds: each folder below infra/ whose package assigns a `CLOUD`. A new cloud is a new folder."""

from __future__ import annotations

import importlib

import pulumi

from infra.cloud_folders import names
from infra.secret import shown
from infra.tier import Tier
from infra.vocabulary import Cloud


def of(tier: Tier) -> tuple[str, ...]:
    """Return the clouds that keep everything that a tier promises."""
    return tuple(name for name in names() if find(name).tier.includes(tier))


def find(name: str) -> Cloud:
    """Return the cloud of that name. Raise `pulumi.RunError` that lists the clouds for an unknown one."""
    if name not in names():
        where = f"Pulumi.{pulumi.get_stack()}.yaml: serverless-ml:settings -> cloud"
        raise pulumi.RunError(f"{where}: {shown(name)} is not known; accepted: {', '.join(names())}")
    return importlib.import_module(f"infra.{name}").CLOUD
