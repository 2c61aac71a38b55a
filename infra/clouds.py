"""The clouds there are: each folder below infra/ whose package holds a `CLOUD`. Adding one is adding a folder."""

from __future__ import annotations

import importlib
from dataclasses import fields
from pathlib import Path

import pulumi

from infra.vocabulary import Cloud

FOLDER = Path(__file__).resolve().parent


def names(folder: Path = FOLDER) -> tuple[str, ...]:
    """Folders that say that they are a cloud."""
    packages = sorted(folder.glob("*/__init__.py"))
    return tuple(package.parent.name for package in packages if "CLOUD = " in package.read_text(encoding="utf-8"))


def find(name: str) -> Cloud:
    """The cloud of that name, whole or not.

    Raises `pulumi.RunError` that lists the clouds there are.
    """
    if name not in names():
        raise pulumi.RunError(f"cloud: {name} is not known; accepted: {', '.join(names())}")
    return importlib.import_module(f"infra.{name}").CLOUD


def choose(name: str) -> Cloud:
    """The cloud of that name, able to carry a whole stack.

    Raises `pulumi.RunError` for an unknown cloud, and for one that lacks a word of the vocabulary.
    """
    cloud = find(name)
    if lacking := missing(cloud):
        whole = [other for other in names() if not missing(find(other))]
        raise pulumi.RunError(
            f"cloud: {name} cannot carry a whole stack yet: it has no {', '.join(lacking)}.\n"
            f"  accepted for a whole stack: {', '.join(whole)}"
        )
    return cloud


def missing(cloud: Cloud) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cloud) if getattr(cloud, field.name) is None)
