"""Make a model of a table: its folder, and its name in the settings of stacks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from sml.init.families import chosen
from sml.init.folder import require_name, write_folder
from sml.init.proposal import Proposal, propose
from sml.init.stack_file import file_of, stacks_in, with_model
from sml.init.written import contract_of, files_of
from sml.mistake import Mistake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.dataset.wanted import Reader
    from models.task import Task


FORECASTING: Task = "forecasting"
LOCK = Path(".local/stacks.lock")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What was asked for."""

    model: str
    table: Path
    target: str | None = None
    task: str | None = None
    """forecasting, for a table of series; else the target decides."""
    families: tuple[str, ...] = ()
    """Families with packages of their own, besides those that are always tried."""
    stacks: tuple[str, ...] = ()
    """Those of this machine, where none is named."""
    force: bool = False
    dry_run: bool = False


@dataclass(frozen=True, kw_only=True)
class Made:
    """What came of it."""

    wish: Wish
    proposal: Proposal
    files: tuple[str, ...]
    """Of the model's folder."""
    changed: tuple[str, ...]
    """The files of stacks that have one more model."""


def make(wish: Wish, *, models: Path, root: Path, read: Reader) -> Made:
    """Propose a model and write it into `models`, then name it in the stacks of `root`.

    Raise `Mistake` before anything is written, and where a file cannot be.
    """
    if wish.task not in (None, FORECASTING):
        raise Mistake(f"--task {wish.task}: accepted: {FORECASTING}; of other tables the target decides, by --target")
    families = chosen(wish.families)
    require_name(wish.model, models, force=wish.force)
    stacks = [file_of(root, stack) for stack in stacks_in(root, wish.stacks)]
    for file in stacks:
        with_model(_text(file), wish.model, file.name)
    forecasting = wish.task == FORECASTING
    proposal = propose(wish.model, wish.table, read, contract_of, wish.target, families, forecasting=forecasting)
    files = files_of(proposal)
    changed = [file.name for file in stacks if with_model(_text(file), wish.model, file.name) != _text(file)]
    if not wish.dry_run:
        try:
            write_folder(models / wish.model, files)
            changed = _name(wish.model, stacks, root)
        except OSError as problem:
            raise Mistake(f"{problem.filename or models / wish.model}: cannot be written: {problem.strerror}") from None
    return Made(
        wish=wish,
        proposal=proposal,
        files=tuple(f"models/{wish.model}/{name}" for name in files),
        changed=tuple(changed),
    )


def _name(model: str, stacks: Sequence[Path], root: Path) -> list[str]:
    """Name a model in the files of some stacks as they are now; return the names of those that had not named it."""
    (root / LOCK.parent).mkdir(exist_ok=True)
    changed = []
    with FileLock(root / LOCK):  # several may be made at once
        for file in stacks:
            text = _text(file)
            if (now := with_model(text, model, file.name)) != text:
                _replace(file, now)
                changed.append(file.name)
    return changed


def _text(file: Path) -> str:
    return file.read_bytes().decode("utf-8")


def _replace(file: Path, text: str) -> None:
    beside = file.with_name(f".{file.name}.new")
    beside.write_bytes(text.encode("utf-8"))
    beside.replace(file)
