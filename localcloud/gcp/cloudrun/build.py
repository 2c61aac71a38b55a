"""Builds a function from its archive as Cloud Build does: unpacks it and installs its locked requirements."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from uv import find_uv_bin

from localcloud.engine.cloud import CloudFailed
from localcloud.engine.stack_file import ROOT
from localcloud.support.ports import LOOPBACK

CACHE = ROOT / ".local" / "gcp"
FORMAT = 1
"""Part of an environment's key: to be raised when environments are built in another way."""
REQUIREMENTS = "requirements.txt"
TARGET = "handle"
"""The name of the function in `main.py`."""


@dataclass(frozen=True, kw_only=True)
class Build:
    """A function that is ready to run."""

    source: Path
    """The folder that the archive was unpacked into."""
    python: Path
    """The interpreter of an environment that holds the archive's requirements and nothing else."""

    def command(self, port: int) -> list[str]:
        """Return the command that serves the function under functions-framework on a loopback port.

        The framework takes its other settings from environment variables, as in the cloud.
        """
        start = [str(self.python), "-m", "functions_framework", "--target", TARGET, "--signature-type", "http"]
        return [*start, "--source", str(self.source / "main.py"), "--host", LOOPBACK, "--port", str(port)]


def build(archive: Path, folder: Path, *, cache: Path = CACHE) -> Build:
    """Unpack an archive into `folder`, and find or create the environment of its requirements.

    Archives with the same lock share one environment, `<cache>/<digest of the lock>`, which is
    created once. Raises `CloudFailed` for an archive without `main.py` or requirements, and for
    a lock that cannot be installed, with the installer's output.
    """
    with zipfile.ZipFile(archive) as packed:
        for name in ("main.py", REQUIREMENTS):
            if name not in packed.namelist():
                raise CloudFailed(f"{archive.name}: holds no {name}, which the build looks for")
        packed.extractall(folder)
    python = _environment(archive.name, folder / REQUIREMENTS, cache)
    _run([str(python), "-I", "-m", "compileall", "-f", "-q", "."], f"{archive.name}: cannot be compiled", folder)
    return Build(source=folder, python=python)


def _environment(name: str, lock: Path, cache: Path) -> Path:
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
    problem = f"{name}: the build cannot install its {REQUIREMENTS}"
    _run([*uv, "venv", "--quiet", "--python", sys.executable, str(environment)], problem, environment.parent)
    install = ["pip", "install", "--quiet", "--require-hashes", "--compile-bytecode", "--requirements", str(lock)]
    _run([*uv, *install, *target], problem, environment.parent)
    _run([*uv, "pip", "check", "--quiet", *target], problem, environment.parent)


def _run(command: Sequence[str], problem: str, folder: Path) -> None:
    completed = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    if completed.returncode:
        raise CloudFailed("\n".join([f"{problem}:", *f"{completed.stdout}{completed.stderr}".strip().splitlines()]))
