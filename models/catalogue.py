"""The models' folders, each with the contract of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.bring_your_own import BringYourOwn
from models.contract import Contract
from models.section import FOLDER, ContractError, read

if TYPE_CHECKING:
    from pathlib import Path

KINDS: dict[object, type[Contract] | type[BringYourOwn]] = {"classification": Contract, "finished": BringYourOwn}


def load(name: str, folder: Path = FOLDER) -> Contract | BringYourOwn:
    """What `folder/name/model.yaml` says. Raises `ContractError`."""
    found, where = read(name, folder)
    task = found.get("task") if isinstance(found, dict) else None
    kind = KINDS.get(task) if isinstance(task, str) else None
    if kind is None:
        accepted = "classification (training.py stands beside it) or finished (model.onnx does)"
        raise ContractError(f"{where}: task: accepted: {accepted}")
    return kind.load(name, folder)
