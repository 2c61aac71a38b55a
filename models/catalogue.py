"""Load the contract of a model, by the kind that its folder holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from models.bring_your_own import BringYourOwn
from models.contract import Contract
from models.section import FOLDER, ContractError, read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Strategy = TypeVar("Strategy")
KINDS: dict[object, type[Contract] | type[BringYourOwn]] = {"classification": Contract, "finished": BringYourOwn}


def load(name: str, folder: Path = FOLDER) -> Contract | BringYourOwn:
    """Return the contract in `folder/name/model.yaml`. Raises `ContractError`."""
    content, where = read(name, folder)
    task = content.get("task") if isinstance(content, dict) else None
    kind = KINDS.get(task) if isinstance(task, str) else None
    if kind is None:
        accepted = "classification (with a training.py in the folder) or finished (with a model.onnx)"
        raise ContractError(f"{where}: task: accepted: {accepted}")
    return kind.load(name, folder)


def by_kind(
    contract: Contract | BringYourOwn,
    *,
    trained: Callable[[Contract], Strategy],
    bring_your_own: Callable[[BringYourOwn], Strategy],
) -> Strategy:
    """Return the strategy for a contract's kind. No other place asks which kind a contract is of."""
    return bring_your_own(contract) if isinstance(contract, BringYourOwn) else trained(contract)
