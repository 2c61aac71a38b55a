"""Write the lock of a model's own packages: `sml lock` and `make lock` run this.

What is locked: the model's requirements.in and what every training is installed from, in the versions of its locks.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pulumi
from uv import find_uv_bin

from infra import locked_modules, model_lock, package_index
from infra.function_table import TRAIN
from infra.package_index import without_credentials
from infra.sources import ROOT
from infra.trainers import REQUIREMENTS
from models.section import CONTRACT, names

COMPILE = ("--quiet", "--universal", "--python-version", "3.11", "--generate-hashes", "--no-annotate", "--no-header")
COMPILE += ("--no-emit-index-url", "--no-emit-find-links")
"""As requirements/lock has it: for every supported Python and platform, without a word on where packages come from."""
DRAWN = re.compile(r"[\u00d7\u2500-\u257f\u25b6]+")
"""What the installer draws around its sentences."""


def write(folder: Path, root: Path = ROOT) -> Path:
    """Write the lock beside `folder`/requirements.in, and return it. Versions that are locked and still fit stay.

    Raise `pulumi.RunError`, and leave an older lock as it was, for requirements that cannot be resolved or installed,
    and for a package that brings a module of ours.
    """
    requirements, lock = folder / REQUIREMENTS, folder / model_lock.LOCKED
    model_lock.require_plain(requirements, root)
    where = requirements.relative_to(root).as_posix() if requirements.is_relative_to(root) else str(requirements)
    with tempfile.TemporaryDirectory() as workspace:
        draft = Path(workspace) / model_lock.LOCKED
        if model_lock.is_whole(lock):
            draft.write_bytes(lock.read_bytes())
        beside = root / model_lock.BESIDE
        constraints = Path(workspace) / "constraints.txt"
        constraints.write_text(model_lock.held_to(root), encoding="utf-8")
        command = [find_uv_bin(), "pip", "compile", *COMPILE, "--constraint", str(constraints)]
        command += ["--output-file", str(draft)]
        _run([*command, str(beside / f"{TRAIN}.in"), str(requirements)], f"{where}: cannot be resolved", root)
        installed = Path(workspace) / "installed"
        _run(
            locked_modules.command(draft, installed),
            f"{where}: cannot be installed for Python {locked_modules.PYTHON} on {locked_modules.WHEELS}",
            root,
        )
        modules = locked_modules.by_package(installed)
        for problem in model_lock.shadowed(modules):
            raise pulumi.RunError(f"{where}: {problem}")
        body = f"{draft.read_text(encoding='utf-8')}{locked_modules.line(installed)}\n"
        lock.write_text(model_lock.sealed(body, folder, root), encoding="utf-8")
    return lock


def folders(arguments: list[str], root: Path = ROOT) -> list[Path]:
    """Return the folder of each argument, a model or a path; without any those of every model with a requirements.in.

    Raise `pulumi.RunError` for one that has none.
    """
    models = names(root / "models")
    if not arguments:
        return [root / "models" / model for model in models if (root / "models" / model / REQUIREMENTS).is_file()]
    found = [root / name if "/" in name else root / "models" / name for name in arguments]
    for name, folder in zip(arguments, found, strict=True):
        if not (folder / CONTRACT).is_file():
            raise pulumi.RunError(f"{name} is no model; models here: {', '.join(models) or 'none'}")
        if not (folder / REQUIREMENTS).is_file():
            raise pulumi.RunError(
                f"{folder.relative_to(root).as_posix()}/{REQUIREMENTS} does not exist: write the packages into it that"
                " the training needs besides those in functions/requirements/train.in"
            )
    return found


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Write the lock of each model, and say what was written. Return the exit code."""
    try:
        for folder in folders(arguments, root):
            lock = write(folder, root)
            shared = model_lock.entries((root / model_lock.BESIDE / f"{TRAIN}.txt").read_text(encoding="utf-8")).keys()
            own = model_lock.entries(lock.read_text(encoding="utf-8")).keys()
            of_all = f"{len(own)} packages, of which every training has {len(own & shared)}"
            print(f"{lock.relative_to(root).as_posix()}: {of_all}")
    except pulumi.RunError as problem:
        print(f"sml: {problem}", file=sys.stderr)
        return 1
    return 0


def _run(command: list[str], problem: str, root: Path) -> None:
    index = package_index.find(os.environ, root)
    environment = {**os.environ, **index.environment}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, cwd=root)
    if done.returncode:
        said = " ".join(DRAWN.sub(" ", without_credentials(done.stderr)).split())
        said = said.partition(" hint: ")[0].rpartition(" cause: ")[2].removeprefix("error: ")
        pins = [entry.split()[0] for entry in model_lock.entries(model_lock.held_to(root)).values()]
        held = [pin for pin in pins if f"{pin} " in f"{said} ".replace(",", " ")]
        hint = f" ({model_lock.BESIDE} has {', '.join(held)}, which stays)" if held else ""
        raise pulumi.RunError(f"{problem}: {said}{hint}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
