"""What an edit needs beside a deployment: what is checked before it, and what is started after it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import pulumi

from infra import model_lock
from infra.model_locking import write
from infra.trainers import REQUIREMENTS
from localcloud.commands.importing import require_imports
from localcloud.commands.progress import Progress, few
from localcloud.engine.stack import LocalStack
from localcloud.engine.stack_file import ROOT, SETTINGS, StackFile
from models.bring_your_own import FILE
from models.catalogue import by_kind, load
from models.section import CONTRACT

AGAIN = "is read when `make up` starts: start it again for this edit"


def deployable(stack: LocalStack, progress: Progress, changed: Collection[Path], root: Path = ROOT) -> bool:
    """Return whether an edit changes what is deployed; say why not where it does not.

    Raises `pulumi.RunError` for a mistake that shows before a deployment.
    """
    left = set(changed)
    if stack.file.path in left:
        reread(stack)
    for path in sorted(left):
        if _is_below(path, root / "infra"):
            progress.plain(f"{path.relative_to(root)} {AGAIN}")
            left.discard(path)
        elif _is_below(path, root / "interface"):
            progress.plain(f"{path.relative_to(root)} {AGAIN}; functions get it now")
        elif path.suffix == ".in":
            left -= _lock(path, stack, progress, root)
    for model in models_of(left, root):
        if model not in stack.outputs.get("models", {}) and (root / "models" / model / CONTRACT).is_file():
            stated = named(stack)
            if model not in stated:
                progress.plain(unnamed(stack, model))
                left -= {path for path in left if _is_below(path, root / "models" / model)}
    if left:
        require_imports(str(stack.file.cloud), left, root, progress.plain)
    return bool(left)


def _lock(requirements: Path, stack: LocalStack, progress: Progress, root: Path) -> set[Path]:
    """Write the lock of a model's packages, or say what does so for others; return what is then of no more use.

    Raises `pulumi.RunError` where they cannot be installed.
    """
    where, model = requirements.relative_to(root), requirements.parent.name
    if requirements != root / "models" / model / REQUIREMENTS:
        progress.plain(f"{where}: `make lock` writes what is installed from it")
        return {requirements}
    if requirements.is_file() and model in named(stack) and not model_lock.is_current(model, root):
        with progress.step("locked") as step:
            step.say(str(where))
            step.text = f"{where} -> {write(requirements.parent, root).name}"
    return set()


def reread(stack: LocalStack) -> None:
    """Have the stack take its settings from its file as it is now. Raises `pulumi.RunError` where it cannot."""
    now = StackFile.read(stack.file.name, root=stack.file.root)
    if now.cloud != stack.file.cloud:
        raise pulumi.RunError(
            f"{stack.file.path.name}: {SETTINGS} -> cloud: was {stack.file.cloud} when this stack started;"
            " start `make up` again for another cloud"
        )
    stack.file = now


def examine(stack: LocalStack, progress: Progress, changed: Collection[Path], root: Path = ROOT) -> None:
    """Have the newest file of each finished model examined that an edit is about.

    Another `model.onnx` alone is uploaded by the deployment, and examined as it arrives.
    """
    for model in models_of(changed, root):
        folder = root / "models" / model
        own = {path.relative_to(folder).as_posix() for path in changed if _is_below(path, folder)}
        if model in stack.outputs.get("models", {}) and own != {FILE} and is_finished(model):
            stack.execute({"model": model})
            progress.line("examined", f"{model}: {few(sorted(own))} changed, so its newest file is looked at again")


def is_finished(model: str) -> bool:
    """Return whether a model comes finished."""
    return by_kind(load(model), trained=lambda _: False, bring_your_own=lambda _: True)


def models_of(changed: Iterable[Path], root: Path = ROOT) -> list[str]:
    """Return the models whose folders some files are in."""
    folder = root / "models"
    parts = [path.relative_to(folder).parts for path in changed if _is_below(path, folder)]
    return sorted({names[0] for names in parts if len(names) > 1})


def named(stack: LocalStack) -> list[str]:
    """Return the models that the stack's file names."""
    return _named(stack.file)


def _named(file: StackFile) -> list[str]:
    models = file.settings.get("models")
    return models if isinstance(models, list) else []


def stated(stack: LocalStack) -> list[str]:
    """Return the models that the stack's file names now: it may have been edited since it was read."""
    try:
        return _named(StackFile.read(stack.file.name, root=stack.file.root))
    except pulumi.RunError:
        return named(stack)


def unnamed(stack: LocalStack, model: str) -> str:
    """Say that a model's folder belongs to no stack that runs here, and what to write."""
    line = f"models: [{', '.join(map(str, [*named(stack), model]))}]"
    return f"models/{model} is not in this stack: write `{line}` into {stack.file.path.name}, below {SETTINGS}"


def _is_below(path: Path, folder: Path) -> bool:
    return path != folder and path.is_relative_to(folder)
