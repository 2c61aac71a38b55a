"""A function's archive made ready to run, as Cloud Build does it: unpacked, its locked requirements installed."""

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
RULES = 1
"""Raised whenever an environment is made in another way."""
REQUIREMENTS = "requirements.txt"
TARGET = "handle"
"""What `main.py` offers."""


@dataclass(frozen=True, kw_only=True)
class Build:
    """What a function runs from."""

    source: Path
    """The folder that the archive was unpacked into."""
    python: Path
    """The interpreter of an environment that holds the archive's requirements and nothing else."""

    def command(self, port: int) -> list[str]:
        """Serve the function under functions-framework on a loopback port.

        The framework takes everything else from the variables of its process, as in the cloud.
        """
        start = [str(self.python), "-m", "functions_framework", "--target", TARGET, "--signature-type", "http"]
        return [*start, "--source", str(self.source / "main.py"), "--host", LOOPBACK, "--port", str(port)]


def build(archive: Path, folder: Path, *, cache: Path = CACHE) -> Build:
    """Unpack an archive into `folder` and find or make the environment of its requirements.

    Archives with the same lock share one environment, `<cache>/<digest of the lock>`, which
    is made once. Raises `CloudFailed` for an archive without what the build of the cloud
    looks for, and for a lock that it could not install, with the installer's own words.
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
    key = f"{RULES} {sys.version} {sys.executable}\n".encode() + lock.read_bytes()
    place = cache / hashlib.sha256(key).hexdigest()[:32]
    python, installed = place / "bin" / "python", place / ".installed"
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(place.with_suffix(".lock")):
        if not installed.exists():
            shutil.rmtree(place, ignore_errors=True)
            _install(name, lock, place, python)
            installed.touch()
    return python


def _install(name: str, lock: Path, place: Path, python: Path) -> None:
    """As pip does in the build: with hashes, and what a package declares has to be in the lock."""
    uv = [find_uv_bin()]
    target = ["--python", str(python)]
    problem = f"{name}: the build cannot install its {REQUIREMENTS}"
    _run([*uv, "venv", "--quiet", "--python", sys.executable, str(place)], problem, place.parent)
    install = ["pip", "install", "--quiet", "--require-hashes", "--compile-bytecode", "--requirements", str(lock)]
    _run([*uv, *install, *target], problem, place.parent)
    _run([*uv, "pip", "check", "--quiet", *target], problem, place.parent)


def _run(command: Sequence[str], problem: str, folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode:
        raise CloudFailed("\n".join([f"{problem}:", *f"{done.stdout}{done.stderr}".strip().splitlines()]))
