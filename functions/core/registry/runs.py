"""A run: one dataset, one contract, one training code, and all that came of them."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from functions.core.registry.versions import digest_of
from models.bring_your_own import GOLDEN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from models.section import Described


class Status(StrEnum):
    """How far a run has come."""

    REJECTED = "rejected"
    """The dataset was refused."""
    TRAINING = "training"
    REGISTERED = "registered"
    """A version exists, and nobody is served by it yet."""
    REFUSED = "refused"
    """The best experiment did not pass the gate."""
    CANARY = "canary"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    FAILED = "failed"
    """Given up for a reason that is not the data's; the same dataset carries it on."""


SETTLED = frozenset({Status.REFUSED, Status.CANARY, Status.PROMOTED, Status.ROLLED_BACK})
"""Nothing is left for training to do, and a release is over or in other hands."""
OVER = SETTLED | {Status.REJECTED, Status.FAILED}
"""Whatever came of it, only somebody who wants it carries it on."""
SELECTED = SETTLED | {Status.REGISTERED}


class Outdated(RuntimeError):
    """A run that was begun with another contract or another training code than the ones deployed now."""


def code_digest(model: str, folder: Path) -> str:
    """SHA-256 of the model's own code, training.py and the modules beside it that came with it, and golden requests."""
    whole = hashlib.sha256()
    for file in sorted([*(folder / model).rglob("*.py"), *(folder / model).glob(GOLDEN)]):
        content = file.read_bytes()
        whole.update(f"{file.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
    return whole.hexdigest()


def recipe(contract: Described, folder: Path) -> dict[str, str]:
    """What a run's result depends on beside its dataset; `folder` holds the models' own folders."""
    return {"contract": contract.digest, "code": code_digest(contract.name, folder)}


def run_of(contract: Described, folder: Path, dataset: str) -> str:
    """The name of the run: the same dataset and recipe are the same run."""
    parts = (contract.name, dataset, *recipe(contract, folder).values())
    return digest_of(*(part.encode() for part in parts))


def run_of_release(model: str, version: str, execution: str) -> str:
    """The name of a run that only releases: another one each time that somebody asks."""
    return digest_of(b"release", model.encode(), version.encode(), execution.encode())


def check_recipe(record: Mapping[str, Any], contract: Described, folder: Path) -> None:
    """Raises `Outdated` when the run's record names another recipe than the one at hand."""
    for part, digest in recipe(contract, folder).items():
        if record[part] != digest:
            raise Outdated(f"the {part} of {contract.name} changed after the run began; start the workflow again")
