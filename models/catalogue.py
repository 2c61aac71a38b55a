"""Load the contract of a model, by the kind that its folder holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from models.bring_your_own import BringYourOwn
from models.contract import Contract
from models.section import FOLDER, ContractError, read
from models.task import METRICS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from models.labels import Labels

Strategy = TypeVar("Strategy")
KINDS: dict[object, type[Contract] | type[BringYourOwn]] = {
    **dict.fromkeys(METRICS, Contract),
    "finished": BringYourOwn,
}


def load(name: str, folder: Path = FOLDER) -> Contract | BringYourOwn:
    """Return the contract in `folder/name/model.yaml`. Raises `ContractError`."""
    document = read(name, folder)
    task = document.value.get("task") if isinstance(document.value, dict) else None
    kind = KINDS.get(task) if isinstance(task, str) else None
    if kind is None:
        found = "is missing" if task is None else f"is {task}" if isinstance(task, str) else "is no text"
        accepted = f"{', '.join(METRICS)} (with a training.py in the folder), or finished (with a model.onnx)"
        raise ContractError(f"{document.place(('task',))}: task: {found}; accepted: {accepted}")
    return kind.of(document, name)


def by_kind(
    contract: Contract | BringYourOwn,
    *,
    trained: Callable[[Contract], Strategy],
    bring_your_own: Callable[[BringYourOwn], Strategy],
) -> Strategy:
    """Return the strategy for a contract's kind. No other place asks which kind a contract is of."""
    return bring_your_own(contract) if isinstance(contract, BringYourOwn) else trained(contract)


def labels_of(contract: Contract | BringYourOwn) -> Labels | None:
    """Return what a contract says of truths; None where it says nothing, or there are none."""
    said = contract.labels if "labels" in contract.model_fields_set else None
    return by_kind(contract, trained=lambda _: said, bring_your_own=lambda one: None if one.scores is None else said)
