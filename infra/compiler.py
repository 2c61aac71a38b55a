"""The interpreter that compiles archives: one exact version for each that functions run on, wherever it comes from.

Another patch release may compile the same sources to other bytes, and then a laptop and a build server
would publish every function anew, each in turn. So none but this version compiles: the interpreter that
runs the program, one on PATH, or one that uv fetches, whose digest the locked uv knows.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import pulumi
from filelock import FileLock
from uv import find_uv_bin

from infra import bytecode

VERSIONS: Mapping[str, str] = {"3.11": "3.11.18", "3.12": "3.12.16", "3.13": "3.13.18"}
"""The newest that the locked uv can fetch. A newer one is another compiler, and so publishes every function anew."""
ROOT_THERE = "/var/task"
"""Where archives are unpacked: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html."""
ISOLATED = ("-s", "-S", "-P", "-B", "-X", "utf8")
"""As `-I`, which ignores the seed of the hashes, too: the order of a set of constants would differ from run to run."""


def here() -> str:
    """Return the exact version of the interpreter that runs the program."""
    return platform.python_version()


def compile_tree(tree: Path, version: str, cache: Path, *, instead: bool) -> tuple[str, ...]:
    """Write a `.pyc` file for each source below `tree`, which the target loads without comparing dates.

    `instead` puts it in the place of the source, which is deleted. A function's code directory is
    read-only: what is not compiled here is compiled anew at every cold start. Return what was wrong with each
    source that cannot be compiled; it stays as it is. Raise `pulumi.RunError` where that version can be had
    nowhere, and for an interpreter that does not compile.
    """
    interpreter = find(version, cache)
    place = "instead" if instead else "beside"
    command = [interpreter, *ISOLATED, bytecode.__file__, str(tree), ROOT_THERE, place]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={"PYTHONHASHSEED": "0"})
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = {}
    if done.returncode or answer.get("by") != f"CPython {version}":
        by = answer.get("by") or _cause(done.stderr) or f"it ended with code {done.returncode}"
        raise pulumi.RunError(f"{interpreter} does not compile as CPython {version}: {by}")
    return tuple(answer["failed"].values())


@lru_cache
def find(version: str, cache: Path) -> str:
    """Return the path of an interpreter of that exact version, which is fetched into `cache` unless there is one.

    Raise `pulumi.RunError` where it can be had nowhere.
    """
    if version == here() and sys.implementation.name == "cpython":
        return sys.executable
    fetched = cache / "python"
    with FileLock(cache / "python.lock"):
        found = _uv("find", version, fetched)
        if found.returncode:
            fetch = _uv("install", version, fetched)
            found = _uv("find", version, fetched)
            if fetch.returncode or found.returncode:
                raise pulumi.RunError(_missing(version, _cause(fetch.stderr or found.stderr)))
    return found.stdout.strip()


def _uv(verb: str, version: str, folder: Path) -> subprocess.CompletedProcess[str]:
    options = ["--no-bin"] if verb == "install" else ["--no-project", "--system"]
    env = {**os.environ, "UV_PYTHON_INSTALL_DIR": os.environ.get("UV_PYTHON_INSTALL_DIR", str(folder))}
    command = [find_uv_bin(), "python", verb, *options, f"cpython@{version}"]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=env)


def _missing(version: str, problem: str) -> str:
    return (
        f"Pulumi.{pulumi.get_stack()}.yaml: serverless-ml:settings -> runtime.compiled: CPython {version} compiles the"
        f" archives, is not on this machine and cannot be fetched ({problem}); accepted: that version on PATH, a mirror"
        " in UV_PYTHON_INSTALL_MIRROR, or compiled: false"
    )


def _cause(text: str) -> str:
    """Return what a program complained of: the last cause that uv gives, or the last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith(("error: ", "cause: "))] or lines
    return causes[-1].removeprefix("cause: ").removeprefix("error: ") if causes else ""
