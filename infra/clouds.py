"""The clouds there are: each folder below infra/ whose package holds a `CLOUD`. Adding one is adding a folder."""

from __future__ import annotations

import importlib
from pathlib import Path

import pulumi

from infra.tier import Tier
from infra.vocabulary import Cloud

FOLDER = Path(__file__).resolve().parent


def names(folder: Path = FOLDER) -> tuple[str, ...]:
    """Folders that say that they are a cloud."""
    packages = sorted(folder.glob("*/__init__.py"))
    return tuple(package.parent.name for package in packages if "CLOUD = " in package.read_text(encoding="utf-8"))


def of(tier: Tier) -> tuple[str, ...]:
    """The clouds that keep all that a tier promises."""
    return tuple(name for name in names() if find(name).tier.includes(tier))


def find(name: str) -> Cloud:
    """The cloud of that name.

    Raises `pulumi.RunError` that lists the clouds there are.
    """
    if name not in names():
        raise pulumi.RunError(f"cloud: {name} is not known; accepted: {', '.join(names())}")
    return importlib.import_module(f"infra.{name}").CLOUD
