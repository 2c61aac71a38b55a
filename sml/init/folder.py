"""The folder of a model: whether it may be written, and how, whole or not at all."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from models.contract import Contract
from models.section import ContractError
from sml.mistake import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_EXAMPLE = {
    "task": "classification",
    "features": [{"name": "feature"}],
    "target": {"name": "target", "classes": ["a", "b"]},
    "search": {"families": [{"family": ["a"]}]},
    "gate": {"minimum": 0.5},
}


def require_name(model: str, models: Path, *, force: bool) -> None:
    """Raise `Mistake` for a name that no model may have, and for one that is taken unless `force`."""
    try:
        Contract.parse({**_EXAMPLE, "name": model}, "the model")
    except ContractError as problem:
        raise Mistake(str(problem)) from None
    if (models / f"{model}.py").exists():
        raise Mistake(f"models/{model}.py is a module of this project; take another name")
    folder = models / model
    if folder.exists() and not folder.is_dir():
        raise Mistake(f"models/{model} is a file; take another name")
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise Mistake(f"models/{model} exists already; take another name, or overwrite its files with --force")


def write_folder(folder: Path, files: Mapping[str, str]) -> None:
    """Write files into a folder, which is there with all of them or not at all; others in it stay."""
    beside = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        for name, text in files.items():
            (beside / name).write_text(text, encoding="utf-8", newline="\n")
        if folder.is_dir():
            for name in files:
                (beside / name).replace(folder / name)
        else:
            beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
