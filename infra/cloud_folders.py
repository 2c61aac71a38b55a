"""The folders of the clouds: each below infra/ whose package assigns a `CLOUD`. A new cloud is a new folder."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def names(folder: Path = FOLDER) -> tuple[str, ...]:
    """Return the folders whose package assigns a `CLOUD`, sorted."""
    packages = sorted(folder.glob("*/__init__.py"))
    return tuple(package.parent.name for package in packages if "CLOUD = " in package.read_text(encoding="utf-8"))
