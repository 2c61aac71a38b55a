"""Environments in which code of the project runs as in a cloud: an interpreter, what one lock names, and no more."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock
from uv import find_uv_bin

from localcloud.engine.cloud import CloudFailed

FORMAT = 1
"""Part of an environment's key: to be raised when environments are made in another way."""


def environment(name: str, lock: Path, cache: Path) -> Path:
    """Return the interpreter of the environment `<cache>/<digest of the lock>`, which is made once.

    Raise `CloudFailed`, which begins with `name`, for a lock that cannot be installed, with the installer's output.
    """
    key = f"{FORMAT} {sys.version} {sys.executable}\n".encode() + lock.read_bytes()
    folder = cache / hashlib.sha256(key).hexdigest()[:32]
    python, installed = folder / "bin" / "python", folder / ".installed"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not installed.exists():
            shutil.rmtree(folder, ignore_errors=True)
            _install(name, lock, folder, python)
            installed.touch()
    return python


def _install(name: str, lock: Path, environment: Path, python: Path) -> None:
    """Create an environment and install the lock, with hashes. A dependency that the lock lacks is an error."""
    uv = [find_uv_bin()]
    target = ["--python", str(python)]
    problem = f"{name}: the build cannot install its {lock.name}"
    run([*uv, "venv", "--quiet", "--python", sys.executable, str(environment)], problem, environment.parent)
    install = ["pip", "install", "--quiet", "--require-hashes", "--compile-bytecode", "--requirements", str(lock)]
    run([*uv, *install, *target], problem, environment.parent)
    run([*uv, "pip", "check", "--quiet", *target], problem, environment.parent)


def run(command: Sequence[str], problem: str, folder: Path) -> None:
    """Run a command in a folder. Raise `CloudFailed` that begins with `problem` and holds what a failing one said."""
    completed = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    if completed.returncode:
        raise CloudFailed("\n".join([f"{problem}:", *f"{completed.stdout}{completed.stderr}".strip().splitlines()]))
